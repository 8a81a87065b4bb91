package dev.penjing.compression.decoder;

import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/// What rows that go through the decoder together see beside themselves. Each row sees all of the
/// trunk, then what its own cache holds, then its tokens, as far as the mask lets it.
///
/// @param turns rotations to the tokens' positions
/// @param trunk what stands before all of the rows, a cache of one row
/// @param append whether the one row of this pass becomes the trunk's end
/// @param own what each row has behind the trunk; the pass writes its one token there
/// @param maskBLC added to the scores of the last C of all positions: 0 or minus infinity
record Pass(
        Rotary.Turns turns,
        KeyValueCache trunk,
        boolean append,
        Optional<KeyValueCache> own,
        Optional<Tensor> maskBLC) {}
