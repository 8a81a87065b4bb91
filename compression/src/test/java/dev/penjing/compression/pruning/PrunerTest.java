package dev.penjing.compression.pruning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.importance.Importance;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.Shape;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.safetensors.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrunerTest {
    private static final int[] IDS = TinyModels.ids(25);

    @TempDir Path folder;

    private static ModelConfig config(boolean tied) {
        return ModelConfig.parse(
                TinyModels.llama("")
                        .toJson()
                        .replace(
                                "\"tie_word_embeddings\" : false",
                                "\"tie_word_embeddings\" : " + tied),
                "test");
    }

    private static int[] range(int n) {
        return IntStream.range(0, n).toArray();
    }

    private static Cut cut(int[] channels, int[] neurons, int[] heads) {
        return Cut.nothing(config(false))
                .with(Axis.HIDDEN, List.of(channels))
                .with(Axis.NEURON, List.of(neurons, neurons, neurons))
                .with(Axis.QUERY_HEAD, List.of(heads, heads, heads));
    }

    private static void zeroColumns(float[] values, int width, int... columns) {
        for (int at = 0; at < values.length; at += width) {
            for (int column : columns) {
                values[at + column] = 0;
            }
        }
    }

    /// Neurons whose columns of down_proj are zero, and heads whose columns of o_proj are: what
    /// they say nobody hears. The sums that remain are the same, but for the order in which a
    /// matrix product of another width adds them.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatContributesNothingCanGo(boolean tied) {
        ModelConfig config = config(tied);
        Path teacher = folder.resolve("teacher");
        TinyModels.write(
                config,
                teacher,
                (spec, values) -> {
                    if (spec.name().endsWith("down_proj.weight")) {
                        zeroColumns(values, 80, 3, 17, 79, 40);
                    } else if (spec.name().endsWith("o_proj.weight")) {
                        zeroColumns(values, 96, IntStream.range(16, 32).toArray()); // head 1
                        zeroColumns(values, 96, IntStream.range(48, 64).toArray()); // head 3
                    }
                    return values;
                });
        int[] neurons =
                IntStream.of(range(80))
                        .filter(i -> i != 3 && i != 17 && i != 79 && i != 40)
                        .toArray();
        Path student = folder.resolve("student");
        ModelConfig made =
                Pruner.prune(
                        teacher,
                        config,
                        cut(range(48), neurons, new int[] {0, 2, 4, 5}),
                        student,
                        Progress.NONE);
        assertThat(made.numAttentionHeads() * made.headDim()).isNotEqualTo(made.hiddenSize());
        assertThat(
                        TinyModels.difference(
                                TinyModels.logits(student, IDS), TinyModels.logits(teacher, IDS)))
                .isLessThan(2e-5);
    }

    /// Channels that nothing writes and nothing reads. Norms divide by the root of the mean over
    /// all channels, so the student's are of sqrt(48 / 40) times smaller: scaling their weights by
    /// sqrt(48 / 40) and epsilon by 48 / 40 makes up for that.
    @Test
    void channelsThatCarryNothingCanGo() {
        ModelConfig config = config(false);
        int[] gone = {1, 5, 8, 20, 33, 40, 46, 47};
        List<Integer> goneList = IntStream.of(gone).boxed().toList();
        Path teacher = folder.resolve("teacher");
        TinyModels.write(
                config,
                teacher,
                (spec, values) -> {
                    if (spec.name().endsWith("embed_tokens.weight")) {
                        zeroColumns(values, 48, gone);
                    } else if (spec.name().endsWith("o_proj.weight")
                            || spec.name().endsWith("down_proj.weight")) {
                        int width = values.length / 48;
                        for (int row : gone) {
                            Arrays.fill(values, row * width, (row + 1) * width, 0);
                        }
                    }
                    return values;
                });
        int[] kept = IntStream.of(range(48)).filter(i -> !goneList.contains(i)).toArray();
        Path student = folder.resolve("student");
        Pruner.prune(teacher, config, cut(kept, range(80), range(6)), student, Progress.NONE);
        Path rescaled = folder.resolve("rescaled");
        rescaleNorms(student, rescaled, (float) Math.sqrt(48 / 40.0), 48 / 40.0);
        assertThat(
                        TinyModels.difference(
                                TinyModels.logits(rescaled, IDS), TinyModels.logits(teacher, IDS)))
                .isLessThan(5e-5);
    }

    private static void rescaleNorms(Path from, Path to, float factor, double epsilonFactor) {
        ModelConfig config = ModelConfig.read(from.resolve("config.json"));
        ModelConfig other =
                ModelConfig.parse(
                        config.toJson().replace("1.0E-5", Double.toString(1e-5 * epsilonFactor)),
                        "test");
        try (dev.penjing.model.safetensors.Checkpoint source =
                dev.penjing.model.safetensors.Checkpoint.open(from)) {
            TinyModels.write(
                    other,
                    to,
                    (spec, ignored) -> {
                        float[] values = source.tensor(spec.name()).toFloats();
                        if (spec.name().endsWith("norm.weight")) {
                            for (int i = 0; i < values.length; i++) {
                                values[i] *= factor;
                            }
                        }
                        return values;
                    });
        }
    }

    private static Importance random(long seed) {
        Random random = new Random(seed);
        return importance(draw(random, 3, 80), draw(random, 3, 96), draw(random, 6, 48));
    }

    private static Importance importance(float[][] neurons, float[][] heads, float[][] channels) {
        return new Importance(
                Map.of(
                        Axis.NEURON, neurons,
                        Axis.QUERY_HEAD, heads,
                        Axis.HIDDEN, channels,
                        Axis.LAYER, new float[][] {{2, 1, 3}}),
                1);
    }

    private static Shape shape(int hidden, int neurons, int heads) {
        return config(false)
                .shape()
                .with(Axis.HIDDEN, hidden)
                .with(Axis.NEURON, neurons)
                .with(Axis.QUERY_HEAD, heads);
    }

    private static float[][] draw(Random random, int rows, int columns) {
        float[][] values = new float[rows][columns];
        for (float[] row : values) {
            for (int i = 0; i < columns; i++) {
                row[i] = random.nextFloat();
            }
        }
        return values;
    }

    /// Renaming the neurons and channels of a teacher, importance and all, gives the same student
    /// up to the order of its parts.
    @Test
    void aPermutedTeacherGivesTheSameStudent() {
        ModelConfig config = config(false);
        int[] channels = shuffled(48, 1);
        int[] neurons = shuffled(80, 2);
        Path plain = folder.resolve("plain");
        Path permuted = folder.resolve("permuted");
        TinyModels.write(config, plain, (spec, values) -> values);
        Pruner.prune(plain, config, cut(channels, neurons, range(6)), permuted, Progress.NONE);
        Importance importance = random(3);
        Importance moved =
                importance(
                        pick(importance.of(Axis.NEURON), neurons),
                        importance.of(Axis.QUERY_HEAD),
                        pick(importance.of(Axis.HIDDEN), channels));
        Shape shape = shape(32, 48, 4);
        Path a = folder.resolve("a");
        Path b = folder.resolve("b");
        Pruner.prune(plain, config, Cut.best(config, importance, shape), a, Progress.NONE);
        Pruner.prune(permuted, config, Cut.best(config, moved, shape), b, Progress.NONE);
        assertThat(TinyModels.difference(TinyModels.logits(b, IDS), TinyModels.logits(a, IDS)))
                .isLessThan(5e-5);
    }

    private static int[] shuffled(int n, long seed) {
        List<Integer> all = new java.util.ArrayList<>(IntStream.range(0, n).boxed().toList());
        java.util.Collections.shuffle(all, new Random(seed));
        return all.stream().mapToInt(Integer::intValue).toArray();
    }

    private static float[][] pick(float[][] values, int[] indices) {
        return Arrays.stream(values)
                .map(row -> {
                    float[] picked = new float[indices.length];
                    for (int i = 0; i < indices.length; i++) {
                        picked[i] = row[indices[i]];
                    }
                    return picked;
                })
                .toArray(float[][]::new);
    }

    @Test
    void pruningTwiceIsPruningOnce() throws java.io.IOException {
        ModelConfig config = config(true);
        Importance importance = random(4);
        Path teacher = folder.resolve("teacher");
        TinyModels.write(config, teacher, (spec, values) -> values);
        Cut once = Cut.best(config, importance, shape(24, 40, 2));
        Pruner.prune(teacher, config, once, folder.resolve("once"), Progress.NONE);

        Cut first = Cut.best(config, importance, shape(40, 64, 4));
        ModelConfig middle =
                Pruner.prune(teacher, config, first, folder.resolve("middle"), Progress.NONE);
        float[][] heads = new float[3][];
        float[][] neurons = new float[3][];
        for (int layer = 0; layer < 3; layer++) {
            int[] elements =
                    IntStream.of(first.kept(Axis.QUERY_HEAD, layer))
                            .flatMap(h -> IntStream.range(h * 16, h * 16 + 16))
                            .toArray();
            heads[layer] = pick(new float[][] {importance.of(Axis.QUERY_HEAD)[layer]}, elements)[0];
            neurons[layer] =
                    pick(
                            new float[][] {importance.of(Axis.NEURON)[layer]},
                            first.kept(Axis.NEURON, layer))[0];
        }
        Importance rest =
                importance(
                        neurons,
                        heads,
                        pick(importance.of(Axis.HIDDEN), first.kept(Axis.HIDDEN, 0)));
        Pruner.prune(
                folder.resolve("middle"),
                middle,
                Cut.best(middle, rest, shape(24, 40, 2)),
                folder.resolve("twice"),
                Progress.NONE);
        assertThat(Files.readAllBytes(folder.resolve("twice/model.safetensors")))
                .isEqualTo(Files.readAllBytes(folder.resolve("once/model.safetensors")));
    }

    @Test
    void headsStayInTheirGroups() {
        Cut cut = Cut.best(config(false), random(8), shape(48, 80, 4));
        for (int[] heads : cut.lists(Axis.QUERY_HEAD)) {
            assertThat(heads).hasSize(4).isSorted();
            assertThat(Arrays.stream(heads).filter(h -> h < 3)).hasSize(2);
        }
        assertThat(Cut.random(config(false), shape(30, 20, 2), 1).kept(Axis.HIDDEN, 0))
                .hasSize(30)
                .isSorted()
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @CsvSource({
        "49, 80, 6, hiddenSize 49 is larger than the teacher's 48: the nearest that can be is 48",
        "0, 80, 6, hiddenSize 0 is too small: the nearest that can be is 1",
        "48, 81, 6, intermediateSize 81 is larger than the teacher's 80: the nearest that can be is 80",
        "48, 80, 5, numAttentionHeads 5 is not a multiple of the 2 key-value heads: the nearest that can be is 6",
        "48, 80, 0, numAttentionHeads 0 is too small: the nearest that can be is 2",
        "48, 80, 8, numAttentionHeads 8 is larger than the teacher's 6: the nearest that can be is 6",
    })
    void sizesThatCannotBeAreRefused(int hidden, int intermediate, int heads, String message) {
        assertThatThrownBy(() ->
                        Cut.requireCuttable(config(false), shape(hidden, intermediate, heads)))
                .isInstanceOf(UsageException.class)
                .hasMessage(message);
    }

    /// A layer that writes nothing to the residual stream changes nothing when it goes, and those
    /// behind it move up. No sum is added in another order: the logits are equal bit for bit.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aLayerThatWritesNothingCanGo(int silent) {
        ModelConfig config = config(false);
        Path teacher = folder.resolve("teacher");
        TinyModels.write(
                config,
                teacher,
                (spec, values) -> {
                    boolean writes = spec.role() == Role.OUTPUT || spec.role() == Role.DOWN;
                    if (writes && spec.layer().getAsInt() == silent) {
                        Arrays.fill(values, 0);
                        values[0] = Float.MIN_VALUE; // a tensor of zeros is refused as damaged
                    }
                    return values;
                });
        int[] layers = IntStream.range(0, 3).filter(i -> i != silent).toArray();
        Path student = folder.resolve("student");
        Cut cut = Cut.nothing(config).with(Axis.LAYER, List.of(layers));
        ModelConfig made = Pruner.prune(teacher, config, cut, student, Progress.NONE);
        assertThat(made.numHiddenLayers()).isEqualTo(2);
        assertThat(TinyModels.logits(student, IDS)).isEqualTo(TinyModels.logits(teacher, IDS));
    }

    /// The layers that change the hidden states most stay, with the other axes' parts of their own.
    @Test
    void layersAreCutByTheirInfluence() {
        ModelConfig config = config(false);
        Importance importance = random(5);
        Shape shape = shape(32, 48, 4).with(Axis.LAYER, 2);
        Cut cut = Cut.best(config, importance, shape);
        assertThat(cut.layers()).containsExactly(0, 2);
        assertThat(cut.shape()).isEqualTo(shape);
        Path teacher = folder.resolve("teacher");
        TinyModels.write(config, teacher, (spec, values) -> values);
        Pruner.prune(teacher, config, cut, folder.resolve("student"), Progress.NONE);
        int[] neurons = importance.kept(Axis.NEURON, 2, config, 48);
        int[] channels = importance.kept(Axis.HIDDEN, 0, config, 32);
        try (Checkpoint before = Checkpoint.open(teacher);
                Checkpoint after = Checkpoint.open(folder.resolve("student"))) {
            float[] up = before.tensor(config.tensors().in(2, Role.UP).name()).toFloats();
            float[] cutUp = after.tensor(config.tensors().in(1, Role.UP).name()).toFloats();
            assertThat(cutUp).hasSize(48 * 32);
            for (int i = 0; i < cutUp.length; i++) {
                assertThat(cutUp[i]).isEqualTo(up[neurons[i / 32] * 48 + channels[i % 32]]);
            }
        }
    }

    /// A group whose keys and values nobody asks for, since the output reads nothing of its heads.
    @Test
    void aKeyValueHeadThatNobodyReadsCanGoWithItsQueries() {
        ModelConfig config = config(false);
        Path teacher = folder.resolve("teacher");
        TinyModels.write(
                config,
                teacher,
                (spec, values) -> {
                    if (spec.role() == Role.OUTPUT) {
                        zeroColumns(values, 96, IntStream.range(0, 48).toArray()); // heads 0 to 2
                    }
                    return values;
                });
        List<int[]> heads = java.util.Collections.nCopies(3, new int[] {3, 4, 5});
        List<int[]> groups = java.util.Collections.nCopies(3, new int[] {1});
        Cut cut =
                Cut.nothing(config).with(Axis.QUERY_HEAD, heads).with(Axis.KEY_VALUE_HEAD, groups);
        Path student = folder.resolve("student");
        ModelConfig made = Pruner.prune(teacher, config, cut, student, Progress.NONE);
        assertThat(made.numKeyValueHeads()).isEqualTo(1);
        assertThat(
                        TinyModels.difference(
                                TinyModels.logits(student, IDS), TinyModels.logits(teacher, IDS)))
                .isLessThan(2e-5);
    }

    /// Tokens that are cut are only no longer spoken of: the logits of the others stay.
    @Test
    void aVocabularyIsCutInTheEmbeddingAndTheHead() {
        ModelConfig config = config(false);
        Path teacher = folder.resolve("teacher");
        TinyModels.write(config, teacher, (spec, values) -> values);
        Cut cut = Cut.nothing(config).with(Axis.VOCABULARY, List.of(range(50)));
        Path student = folder.resolve("student");
        Pruner.prune(teacher, config, cut, student, Progress.NONE);
        int[] ids = IntStream.of(IDS).filter(id -> id < 50).toArray();
        float[] before = TinyModels.logits(teacher, ids);
        float[] after = TinyModels.logits(student, ids);
        float[] kept = new float[after.length];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = before[i / 50 * 64 + i % 50];
        }
        assertThat(TinyModels.difference(after, kept)).isLessThan(1e-5);
    }

    @Test
    void weightsThatAreNotNumbersStopItByName() {
        ModelConfig config = config(false);
        BiFunction<TensorSpec, float[], float[]> spoil =
                (spec, values) -> {
                    if (spec.name().equals("model.layers.1.mlp.up_proj.weight")) {
                        values[77] = Float.NaN;
                    }
                    return values;
                };
        TinyModels.write(config, folder.resolve("teacher"), spoil);
        assertThatThrownBy(() ->
                        Pruner.prune(
                                folder.resolve("teacher"),
                                config,
                                cut(range(40), range(60), range(6)),
                                folder.resolve("student"),
                                Progress.NONE))
                .hasMessageContaining("model.layers.1.mlp.up_proj.weight")
                .hasMessageContaining("not finite");
        assertThat(folder.resolve("student")).isEmptyDirectory();
    }
}
