package dev.penjing.compression.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.junit.jupiter.api.Test;

class SharedPrefixTest {
    @Test
    void aCacheChangesNothing() {
        Compute compute = Compute.float32();
        ModelConfig config = TinyModels.llama("");
        int[] ids = TinyModels.ids(40);
        try (FlatParameters parameters = TinyModels.parameters(config, compute);
                Decoder decoder = new Decoder(config, parameters, compute);
                AutoGradMode noGrad = new AutoGradMode(false);
                SharedPrefix prefix = new SharedPrefix(decoder);
                PointerScope scope = new PointerScope()) {
            float[] whole = TinyModels.logits(decoder, ids);
            prefix.read(ids, 0, 30);
            for (int i = 30; i < 40; i++) {
                float[] one = Tensors.floats(decoder.logits(prefix.read(ids, i, i + 1)));
                assertThat(one)
                        .containsExactly(
                                Arrays.copyOfRange(whole, i * 64, (i + 1) * 64), within(1e-4f));
            }
        }
    }
}
