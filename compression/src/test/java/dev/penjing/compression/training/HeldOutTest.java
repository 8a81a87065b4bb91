package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeldOutTest {
    private static final ModelConfig CONFIG = TinyModels.llama("");
    private static final Compute COMPUTE = Compute.float32();

    @TempDir Path folder;

    private HeldOut heldOut(TokenFile file) {
        return HeldOut.of(file, 16, new TinyModels.Bytes(), Long.MAX_VALUE);
    }

    private Path tokens(int[] ids) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4 * ids.length).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.stream(ids).forEach(bytes::putInt);
        return Files.write(folder.resolve("held-out.bin"), bytes.array());
    }

    /// Each window by itself, and every token of it but the first: 3 windows of 16 and one of 2.
    @Test
    void everyTokenButAWindowsFirstIsScored() throws IOException {
        int[] ids = TinyModels.ids(50);
        try (TokenFile file = TokenFile.open(tokens(ids));
                FlatParameters parameters = TinyModels.parameters(CONFIG, COMPUTE);
                Decoder model = new Decoder(CONFIG, parameters, COMPUTE)) {
            double sum = 0;
            for (int from = 0; from < 50; from += 16) {
                int[] window = Arrays.copyOfRange(ids, from, Math.min(50, from + 16));
                float[] logits = TinyModels.logits(model, window);
                for (int i = 1; i < window.length; i++) {
                    double norm = 0;
                    for (int v = 0; v < 64; v++) {
                        norm += Math.exp(logits[(i - 1) * 64 + v]);
                    }
                    sum += Math.log(norm) - logits[(i - 1) * 64 + window[i]];
                }
            }
            HeldOut.Measures alone = heldOut(file).measure(model, Optional.empty(), Progress.NONE);
            assertThat(alone.tokens()).isEqualTo(46);
            assertThat(alone.bytes()).isEqualTo(46);
            assertThat(alone.crossEntropy()).isCloseTo(sum / 46, within(1e-5));
            HeldOut.Measures itself =
                    heldOut(file).measure(model, Optional.of(model), Progress.NONE);
            assertThat(itself.divergence()).isCloseTo(0, within(1e-6));
        }
    }

    @Test
    void whatIsNotFiniteIsNoMeasure() throws IOException {
        try (TokenFile file = TokenFile.open(tokens(TinyModels.ids(50)));
                FlatParameters parameters = TinyModels.parameters(CONFIG, COMPUTE);
                Decoder model = new Decoder(CONFIG, parameters, COMPUTE);
                AutoGradMode noGrad = new AutoGradMode(false);
                PointerScope scope = new PointerScope()) {
            parameters.view(CONFIG.tensors().of(Role.FINAL_NORM)).fill_(new Scalar(3e38));
            assertThatThrownBy(() -> heldOut(file).measure(model, Optional.empty(), Progress.NONE))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("not finite");
        }
    }
}
