package dev.penjing.compression.repair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.importance.DepthChoice;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.pruning.Pruner;
import dev.penjing.compression.repair.RepairSettings.Level;
import dev.penjing.compression.repair.RepairSettings.Selection;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RepairTest {
    private static final int[] IDS = TinyModels.ids(25);
    private static final int SAMPLES = 40;

    /// Exact solutions are found with next to no ridge.
    private static final RepairSettings EXACT =
            new RepairSettings(
                    Level.FULL, Selection.ACTIVATION, DepthChoice.INFLUENCE, List.of(1e-10), 8);

    private final ModelConfig config = TinyModels.llama("");
    @TempDir Path folder;

    private Path tokens = Path.of("");

    @BeforeEach
    void text() throws IOException {
        tokens = TinyModels.tokens(folder, 3000, 5);
    }

    private Path teacher(BiFunction<TensorSpec, float[], float[]> change) {
        Path teacher = folder.resolve("teacher");
        TinyModels.write(config, teacher, change);
        return teacher;
    }

    private Repair.Result repair(Path teacher, Cut cut, RepairSettings settings, String name) {
        return repair(teacher, cut, settings, name, Progress.NONE);
    }

    private Repair.Result repair(
            Path teacher, Cut cut, RepairSettings settings, String name, Progress progress) {
        try (TokenFile file = TokenFile.open(tokens)) {
            return Repair.run(
                    new Repair.Request(
                            teacher,
                            cut,
                            new Sequences(file, 64, 1),
                            SAMPLES,
                            settings,
                            folder.resolve(name),
                            folder.resolve(name + ".work"),
                            "key"),
                    Compute.float32(),
                    progress);
        }
    }

    private Cut keeping(Axis axis, int... kept) {
        int lists = axis.perLayer() ? config.numHiddenLayers() : 1;
        return Cut.nothing(config).with(axis, Collections.nCopies(lists, kept));
    }

    private static int[] without(int size, int... gone) {
        return IntStream.range(0, size)
                .filter(i -> Arrays.stream(gone).noneMatch(g -> g == i))
                .toArray();
    }

    private double difference(Path teacher, String student) {
        return TinyModels.difference(
                TinyModels.logits(teacher, IDS), TinyModels.logits(folder.resolve(student), IDS));
    }

    /// Copies row `from` of a matrix over row `to`.
    private static void copyRow(float[] values, int width, int from, int to, float factor) {
        for (int i = 0; i < width; i++) {
            values[to * width + i] = values[from * width + i] * factor;
        }
    }

    @ParameterizedTest
    @EnumSource(Level.class)
    void aCutThatRemovesNothingChangesNothing(Level level) throws IOException {
        Path teacher = teacher((spec, values) -> values);
        repair(teacher, Cut.nothing(config), RepairSettings.DEFAULT.with(level), "student");
        Pruner.prune(teacher, config, Cut.nothing(config), folder.resolve("plain"), Progress.NONE);
        assertThat(folder.resolve("student/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("plain/model.safetensors"));
        assertThat(folder.resolve("student.work")).doesNotExist();
    }

    /// Neuron 5 says twice what neuron 4 says: without it, the matrix that reads both can make the
    /// same of neuron 4 alone.
    @Test
    void aNeuronThatDependsOnAnotherIsMadeGood() {
        Path teacher =
                teacher((spec, values) -> {
                    if (spec.role() == Role.GATE) {
                        copyRow(values, 48, 4, 5, 1);
                    } else if (spec.role() == Role.UP) {
                        copyRow(values, 48, 4, 5, 2);
                    }
                    return values;
                });
        Cut cut = keeping(Axis.NEURON, without(80, 5));
        Pruner.prune(teacher, config, cut, folder.resolve("sliced"), Progress.NONE);
        repair(teacher, cut, EXACT, "student");
        assertThat(difference(teacher, "sliced")).isGreaterThan(0.01);
        assertThat(difference(teacher, "student")).isLessThan(1e-4);
    }

    /// The surgeon finds the neurons that others can stand in for, whatever they weigh.
    @Test
    void theSurgeonKeepsWhatCannotBeMadeGood() {
        int[] doubles = {5, 15, 25, 35, 45, 55, 65, 75};
        Path teacher =
                teacher((spec, values) -> {
                    for (int d : doubles) {
                        if (spec.role() == Role.GATE) {
                            copyRow(values, 48, d - 1, d, 1);
                        } else if (spec.role() == Role.UP) {
                            copyRow(values, 48, d - 1, d, 3);
                        }
                    }
                    return values;
                });
        Cut any = keeping(Axis.NEURON, IntStream.range(0, 72).toArray());
        RepairSettings settings = EXACT.with(Selection.OBS);
        Repair.Result result = repair(teacher, any, settings, "student");
        for (int layer = 0; layer < 3; layer++) {
            int[] kept = result.cut().kept(Axis.NEURON, layer);
            assertThat(kept).hasSize(72).isSorted();
            for (int d : doubles) {
                assertThat(kept).containsAnyOf(d, d - 1);
            }
        }
        assertThat(difference(teacher, "student")).isLessThan(1e-3);
    }

    /// Heads 1 and 4 ask what heads 0 and 3 of their groups ask.
    @Test
    void headsThatDependOnOthersAreMadeGood() {
        Path teacher =
                teacher((spec, values) -> {
                    if (spec.role() == Role.QUERY) {
                        for (int i = 0; i < 16; i++) {
                            copyRow(values, 48, i, 16 + i, 1);
                            copyRow(values, 48, 48 + i, 64 + i, 1);
                        }
                    }
                    return values;
                });
        repair(teacher, keeping(Axis.QUERY_HEAD, 0, 2, 3, 5), EXACT, "student");
        assertThat(difference(teacher, "student")).isLessThan(1e-4);
        Repair.Result chosen =
                repair(
                        teacher,
                        keeping(Axis.QUERY_HEAD, 0, 1, 3, 4),
                        EXACT.with(Selection.OBS),
                        "chosen");
        assertThat(difference(teacher, "chosen")).isLessThan(1e-3);
        assertThat(chosen.cut().kept(Axis.QUERY_HEAD, 2)).contains(2, 5);
    }

    /// Without a gain, norms would divide by too small a mean.
    @Test
    void channelsThatAreAlwaysZeroGoWithoutATrace() {
        int[] silent = {7, 20, 33};
        Path teacher =
                teacher((spec, values) -> {
                    if (spec.columns().equals(List.of(Axis.HIDDEN))) {
                        for (int at = 0; at < values.length; at += 48) {
                            for (int channel : silent) {
                                values[at + channel] = 0;
                            }
                        }
                    } else if (spec.matrix() && spec.rows().equals(List.of(Axis.HIDDEN))) {
                        int width = values.length / 48;
                        for (int channel : silent) {
                            Arrays.fill(values, channel * width, (channel + 1) * width, 0);
                        }
                    }
                    return values;
                });
        Cut cut = keeping(Axis.HIDDEN, without(48, silent));
        repair(teacher, cut, RepairSettings.none(), "sliced");
        repair(teacher, cut, RepairSettings.DEFAULT.with(Level.NORMS), "student");
        repair(teacher, cut, RepairSettings.DEFAULT, "full");
        // epsilon weighs a little more against a mean over fewer channels
        assertThat(difference(teacher, "sliced")).isGreaterThan(0.01);
        assertThat(difference(teacher, "student")).isLessThan(1e-3);
        assertThat(difference(teacher, "full")).isLessThan(1e-2);
    }

    /// The middle layer says a linear function of what the first one's neurons say only if it says
    /// nothing; then a refit has nothing to do.
    @Test
    void aLayerThatSaysNothingGoesWithoutATrace() {
        Path teacher =
                teacher((spec, values) -> {
                    boolean says = spec.role() == Role.DOWN || spec.role() == Role.OUTPUT;
                    if (says && spec.layer().orElse(0) == 1) {
                        Arrays.fill(values, 0);
                    }
                    return values;
                });
        repair(teacher, keeping(Axis.LAYER, 0, 2), RepairSettings.DEFAULT, "student");
        assertThat(difference(teacher, "student")).isLessThan(1e-4);
    }

    /// On text that was held out, and by what was measured.
    @Test
    void repairComesCloserToTheTeacher() {
        Path teacher = teacher((spec, values) -> values);
        Cut cut =
                keeping(Axis.NEURON, IntStream.range(0, 56).toArray())
                        .with(Axis.LAYER, List.of(new int[] {0, 2}))
                        .with(Axis.HIDDEN, List.of(IntStream.range(0, 40).toArray()));
        double before = Double.MAX_VALUE;
        for (Level level : List.of(Level.NONE, Level.READERS, Level.FULL)) {
            String name = level.name();
            Repair.Result result = repair(teacher, cut, RepairSettings.DEFAULT.with(level), name);
            double error = meanSquare(teacher, name);
            assertThat(error).as(name).isLessThan(before);
            before = error;
            for (Refit refit : result.report().refits()) {
                assertThat(refit.slicedError()).isFinite();
                assertThat(refit.kept()).isEqualTo(refit.refittedError() < refit.slicedError());
            }
        }
    }

    private double meanSquare(Path teacher, String student) {
        float[] a = TinyModels.logits(teacher, IDS);
        float[] b = TinyModels.logits(folder.resolve(student), IDS);
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]) / a.length;
        }
        return sum;
    }

    @Test
    void stoppedAtAnyLayerItComesToTheSameBytes() {
        Path teacher = teacher((spec, values) -> values);
        Cut cut =
                keeping(Axis.NEURON, IntStream.range(0, 40).toArray())
                        .with(Axis.HIDDEN, List.of(IntStream.range(0, 40).toArray()));
        Repair.Result whole = repair(teacher, cut, RepairSettings.DEFAULT, "whole");
        for (int stop = 1; stop <= 3; stop++) {
            String name = "stopped-" + stop;
            int at = stop;
            assertThatThrownBy(() ->
                            repair(
                                    teacher,
                                    cut,
                                    RepairSettings.DEFAULT,
                                    name,
                                    (what, done, total, note) -> {
                                        if (done == at) {
                                            throw new IllegalStateException("stop");
                                        }
                                    }))
                    .hasMessage("stop");
            Repair.Result resumed = repair(teacher, cut, RepairSettings.DEFAULT, name);
            assertThat(resumed.report().refits()).isEqualTo(whole.report().refits());
            assertThat(folder.resolve(name).resolve("model.safetensors"))
                    .hasSameBinaryContentAs(folder.resolve("whole/model.safetensors"));
        }
    }
}
