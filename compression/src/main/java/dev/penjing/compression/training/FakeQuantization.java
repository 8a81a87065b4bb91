package dev.penjing.compression.training;

import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.quantization.Bfloat16;
import dev.penjing.model.quantization.BlockType;
import dev.penjing.model.quantization.Dequantizer;
import dev.penjing.model.quantization.InputSums;
import dev.penjing.model.quantization.RowQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/// Weights as a quantised GGUF file will have them, for a forward pass that trains for that file
/// (quantisation-aware training: Jacob and others 2017, arXiv 1712.05877, section 3).
///
/// The gradient of a rounded weight is taken for that of the weight itself (the straight-through
/// estimator: Bengio and others 2013, arXiv 1308.3432). Scales are fitted anew each time, by the
/// code that writes the file, so that they follow the weights, and the trained student, saved in
/// bfloat16 and quantised without calibration, is what was trained to the last bit.
///
/// Its threads end with [#close].
final class FakeQuantization implements AutoCloseable {
    /// Rows that a thread takes at once.
    private static final int ROWS = 64;

    /// Rows of a matrix that lie together.
    ///
    /// @param at first element in the flat parameters
    private record Piece(BlockType type, long at, int rows, int columns) {}

    private final List<Piece> pieces = new ArrayList<>();
    private final RowThreads threads;

    /// @throws UsageException if files of this type are not made of blocks
    /// @throws dev.penjing.model.PenjingException if rows are no whole blocks
    FakeQuantization(FileType type, FlatParameters parameters, ModelConfig config, int threads) {
        requireBlocks(type);
        for (Slot slot : parameters.layout().slots()) {
            BlockType blocks = type.of(slot.spec(), config);
            if (blocks.weights() == 1) {
                continue;
            }
            int columns = Math.toIntExact(slot.shape()[1]);
            long rows = slot.size() / columns;
            for (long row = 0; row < rows; row += ROWS) {
                pieces.add(
                        new Piece(
                                blocks,
                                slot.offset() + row * columns,
                                (int) Math.min(ROWS, rows - row),
                                columns));
            }
        }
        this.threads = new RowThreads(threads);
    }

    /// @throws UsageException if files of this type are not made of blocks
    static void requireBlocks(FileType type) {
        if (!type.blocks()) {
            throw new UsageException(
                    "quantization must be a type whose weights are rounded to blocks, such as q4_0 or q4_k_m, not %s"
                            .formatted(type.name().toLowerCase(Locale.ROOT)));
        }
    }

    /// Rounds the matrices of `weights` (float32 or bfloat16), and leaves its vectors.
    void round(FlatParameters weights) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false);
                Arena arena = Arena.ofShared()) {
            Tensor flat = weights.flat();
            Tensor here = flat.cpu(); // itself, where it lies there already
            MemorySegment memory = Tensors.memory(here, arena);
            boolean whole = flat.element_size() == Float.BYTES;
            AtomicInteger next = new AtomicInteger();
            threads.onEach(() -> {
                for (int i = next.getAndIncrement();
                        i < pieces.size();
                        i = next.getAndIncrement()) {
                    round(pieces.get(i), memory, whole);
                }
            });
            if (!flat.is_cpu()) {
                flat.copy_(here);
            }
        }
    }

    private static void round(Piece piece, MemorySegment memory, boolean whole) {
        RowQuantizer quantizer = new RowQuantizer(piece.type(), InputSums.unknown());
        float[] row = new float[piece.columns()];
        ByteBuffer blocks =
                ByteBuffer.allocate(piece.columns() / piece.type().weights() * piece.type().bytes())
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (int r = 0; r < piece.rows(); r++) {
            long at = piece.at() + (long) r * piece.columns();
            for (int i = 0; i < row.length; i++) {
                // as the saved student has it
                short saved =
                        whole
                                ? Bfloat16.bits(memory.getAtIndex(ValueLayout.JAVA_FLOAT, at + i))
                                : memory.getAtIndex(ValueLayout.JAVA_SHORT, at + i);
                row[i] = Bfloat16.toFloat(saved);
            }
            blocks.clear();
            quantizer.round(row, blocks);
            float[] rounded =
                    Dequantizer.floats(piece.type(), MemorySegment.ofArray(blocks.array()));
            for (int i = 0; i < rounded.length; i++) {
                if (whole) {
                    memory.setAtIndex(ValueLayout.JAVA_FLOAT, at + i, rounded[i]);
                } else {
                    memory.setAtIndex(ValueLayout.JAVA_SHORT, at + i, Bfloat16.bits(rounded[i]));
                }
            }
        }
    }

    @Override
    public void close() {
        threads.close();
    }
}
