package dev.penjing.compression.importance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.pruning.Pruner;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DepthChoiceTest {
    private static final int LAYERS = 6;

    @TempDir Path folder;

    private final ModelConfig config =
            TinyModels.llama("").resized(TinyModels.llama("").shape().with(Axis.LAYER, LAYERS));

    private int[] kept(DepthChoice choice, IntPredicate quiet, int count) throws IOException {
        Path file = TinyModels.tokens(folder, 400, 2);
        Path model = folder.resolve("model");
        // what some layers say is next to nothing
        TinyModels.write(
                config,
                model,
                (spec, values) -> {
                    boolean says = spec.role() == Role.DOWN || spec.role() == Role.OUTPUT;
                    if (says && quiet.test(spec.layer().orElseThrow())) {
                        for (int i = 0; i < values.length; i++) {
                            values[i] *= 1e-3f;
                        }
                    }
                    return values;
                });
        Compute compute = Compute.float32();
        try (TokenFile tokens = TokenFile.open(file);
                FlatParameters parameters =
                        FlatParameters.load(model, config, compute, compute.type());
                Decoder decoder = new Decoder(config, parameters, compute)) {
            Sequences text = new Sequences(tokens, 16, 1);
            return choice.kept(decoder, text, 4, count, Progress.NONE);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DepthChoice.class,
            names = {"LOGITS", "ANGULAR"})
    void layersThatSayNothingGo(DepthChoice choice) throws IOException {
        assertThat(kept(choice, layer -> layer == 2 || layer == 3, 4)).containsExactly(0, 1, 4, 5);
        assertThat(kept(choice, layer -> layer >= 4, 4)).containsExactly(0, 1, 2, 3);
        assertThat(kept(choice, layer -> layer == 0, 5)).containsExactly(1, 2, 3, 4, 5);
    }

    /// Where layers lie apart, one block cannot be all of them.
    @ParameterizedTest
    @EnumSource(
            value = DepthChoice.class,
            names = {"LOGITS"})
    void layersApartGo(DepthChoice choice) throws IOException {
        assertThat(kept(choice, layer -> layer == 1 || layer == 4, 4)).containsExactly(0, 2, 3, 5);
    }

    /// What is dropped is the layer without which a student, cut and run as any model, says the
    /// least of the text.
    @Test
    void perplexityIsThatOfTheStudentWithoutTheLayer() throws IOException {
        int[] kept = kept(DepthChoice.PERPLEXITY, layer -> false, LAYERS - 1);
        double least = Double.MAX_VALUE;
        int[] best = {};
        for (int gone = 0; gone < LAYERS; gone++) {
            int dropped = gone;
            int[] layers = IntStream.range(0, LAYERS).filter(i -> i != dropped).toArray();
            Path student = folder.resolve("without-" + gone);
            Cut cut = Cut.nothing(config).with(Axis.LAYER, List.of(layers));
            Pruner.prune(folder.resolve("model"), config, cut, student, Progress.NONE);
            double sum = 0;
            try (TokenFile tokens = TokenFile.open(folder.resolve("tokens.bin"))) {
                Sequences text = new Sequences(tokens, 16, 1);
                for (int sample = 0; sample < 4; sample++) {
                    int[] ids = text.sample(sample);
                    float[] logits = TinyModels.logits(student, Arrays.copyOf(ids, 16));
                    for (int i = 0; i < 16; i++) {
                        sum += loss(logits, i * 64, ids[i + 1]);
                    }
                }
            }
            if (sum < least) {
                least = sum;
                best = layers;
            }
        }
        assertThat(kept).containsExactly(best);
    }

    private static double loss(float[] logits, int from, int target) {
        double sum = 0;
        for (int v = 0; v < 64; v++) {
            sum += Math.exp(logits[from + v]);
        }
        return Math.log(sum) - logits[from + target];
    }
}
