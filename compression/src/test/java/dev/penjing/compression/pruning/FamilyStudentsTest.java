package dev.penjing.compression.pruning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.compression.TinyFamily;
import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.importance.Importance;
import dev.penjing.compression.importance.Scorer;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.Shape;
import dev.penjing.model.safetensors.Checkpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Students of every family along every axis. With the property `penjing.students` they are kept in
/// the folder that it names, where `src/test/oracle/families.py` holds them against transformers.
class FamilyStudentsTest {
    private static final int[] IDS = TinyModels.ids(25);

    @TempDir Path temporary;

    static List<TinyFamily> families() {
        return TinyFamily.all();
    }

    private Path folder(String name) {
        String kept = System.getProperty("penjing.students", temporary.toString());
        return Path.of(kept).resolve(name);
    }

    /// A student of every axis alone and of all together loads, and its tensors are cut as its
    /// configuration says.
    @ParameterizedTest
    @MethodSource("families")
    void everyAxisCanBeCut(TinyFamily family) throws IOException {
        ModelConfig config = family.config();
        Path teacher = folder(family.name());
        TinyModels.write(config, teacher, (spec, weights) -> weights);
        Importance importance = importance(config);
        Map<String, Cut> cuts = new LinkedHashMap<>();
        Shape all = config.shape();
        Map<Axis, Integer> smaller =
                Map.of(Axis.HIDDEN, 36, Axis.NEURON, 52, Axis.QUERY_HEAD, 4, Axis.LAYER, 2);
        if (family.name().equals("phi3-longrope")) {
            // transformers takes no other hidden size than heads times head dimension
            assertThatThrownBy(() -> config.resized(config.shape().with(Axis.QUERY_HEAD, 4)))
                    .hasMessageContaining("choose 64");
            smaller = Map.of(Axis.NEURON, 52, Axis.LAYER, 2);
            all = all.with(Axis.HIDDEN, 64).with(Axis.QUERY_HEAD, 4);
        }
        for (Map.Entry<Axis, Integer> axis : smaller.entrySet()) {
            all = all.with(axis.getKey(), axis.getValue());
            Shape one = config.shape().with(axis.getKey(), axis.getValue());
            cuts.put(axis.getKey().parts(), Cut.best(config, importance, one));
        }
        cuts.put("all", Cut.best(config, importance, all));
        int layers = config.numHiddenLayers();
        if (smaller.containsKey(Axis.QUERY_HEAD)) {
            cuts.put(
                    "key_value_heads",
                    Cut.nothing(config)
                            .with(Axis.QUERY_HEAD, Collections.nCopies(layers, new int[] {3, 4, 5}))
                            .with(Axis.KEY_VALUE_HEAD, Collections.nCopies(layers, new int[] {1})));
        }
        int[] tokens = IntStream.range(0, 64).filter(i -> i % 5 != 1).toArray();
        cuts.put("tokens", Cut.nothing(config).with(Axis.VOCABULARY, List.of(tokens)));
        keepLogits(teacher);
        for (Map.Entry<String, Cut> cut : cuts.entrySet()) {
            Path student = folder(family.name() + "-" + cut.getKey());
            ModelConfig made =
                    Pruner.prune(teacher, config, cut.getValue(), student, Progress.NONE);
            assertThat(made.shape()).isEqualTo(cut.getValue().shape());
            ModelConfig read = ModelConfig.read(student.resolve("config.json"));
            assertThat(read.attention()).isEqualTo(made.attention());
            assertThat(read.attention())
                    .isEqualTo(
                            Arrays.stream(cut.getValue().layers())
                                    .mapToObj(config.attention()::get)
                                    .toList());
            assertThat(read.multipliers()).isEqualTo(made.multipliers());
            try (Checkpoint checkpoint = Checkpoint.open(student)) {
                checkpoint.check(read);
            }
            keepLogits(student);
        }
    }

    private Importance importance(ModelConfig config) throws IOException {
        ByteBuffer tokens = ByteBuffer.allocate(4 * 33).order(ByteOrder.LITTLE_ENDIAN);
        tokens.asIntBuffer().put(TinyModels.ids(33));
        Path file = temporary.resolve("tokens.bin");
        Files.write(file, tokens.array());
        Compute compute = Compute.float32();
        try (TokenFile data = TokenFile.open(file);
                FlatParameters parameters = TinyModels.parameters(config, compute);
                Decoder decoder = new Decoder(config, parameters, compute)) {
            return Scorer.score(decoder, new Sequences(data, 16, 1), 2, 2, Progress.NONE);
        }
    }

    private static void keepLogits(Path model) throws IOException {
        int tokens = ModelConfig.read(model.resolve("config.json")).vocabularySize();
        int[] ids = Arrays.stream(IDS).map(id -> id % tokens).toArray();
        float[] logits = TinyModels.logits(model, ids);
        for (float logit : logits) {
            assertThat(logit).isFinite();
        }
        Files.writeString(
                model.resolve("logits.json"),
                "{\"ids\": %s, \"logits\": %s}"
                        .formatted(Arrays.toString(ids), Arrays.toString(logits)));
    }

    /// Neurons that nothing reads, and a layer that adds nothing to the residual stream.
    @ParameterizedTest
    @MethodSource("families")
    void whatContributesNothingCanGo(TinyFamily family) {
        ModelConfig config = family.config();
        Path teacher = temporary.resolve("silent");
        int silent = 1;
        TinyModels.write(
                config,
                teacher,
                (spec, values) -> {
                    boolean writes =
                            switch (spec.role()) {
                                case OUTPUT, OUTPUT_BIAS, DOWN -> true;
                                default -> false;
                            };
                    if (writes && spec.layer().getAsInt() == silent) {
                        Arrays.fill(values, 0);
                    } else if (spec.role() == Role.DOWN) {
                        for (int i = 0; i < values.length; i += 80) {
                            values[i + 3] = 0;
                            values[i + 79] = 0;
                        }
                    }
                    return values;
                });
        int layers = config.numHiddenLayers();
        int[] neurons = IntStream.range(0, 79).filter(i -> i != 3).toArray();
        int[] kept = IntStream.range(0, layers).filter(i -> i != silent).toArray();
        Cut cut =
                Cut.nothing(config)
                        .with(Axis.NEURON, Collections.nCopies(layers, neurons))
                        .with(Axis.LAYER, List.of(kept));
        Path student = temporary.resolve("student");
        Pruner.prune(teacher, config, cut, student, Progress.NONE);
        assertThat(
                        TinyModels.difference(
                                TinyModels.logits(student, IDS), TinyModels.logits(teacher, IDS)))
                .isLessThan(5e-5);
    }
}
