package dev.penjing.compression.repair;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.compression.TinyFamily;
import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.importance.DepthChoice;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.repair.RepairSettings.Level;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every family is repaired by its own switches: norms stored less one or behind the matrices, MLPs
/// without a gate, multipliers.
class FamilyRepairTest {
    private static final int[] IDS = TinyModels.ids(40);

    private static final RepairSettings SETTINGS =
            new RepairSettings(
                    Level.FULL,
                    RepairSettings.Selection.ACTIVATION,
                    DepthChoice.INFLUENCE,
                    List.of(1e-2),
                    6);

    @TempDir Path folder;

    static List<TinyFamily> families() {
        return TinyFamily.all();
    }

    @ParameterizedTest
    @MethodSource("families")
    void repairComesCloserToTheTeacher(TinyFamily family) throws IOException {
        ModelConfig config = family.config();
        Path teacher = folder.resolve("teacher");
        TinyModels.write(config, teacher, (spec, weights) -> weights);
        int layers = config.numHiddenLayers();
        int[] neurons = IntStream.range(0, 56).toArray();
        Cut narrow = Cut.nothing(config).with(Axis.NEURON, Collections.nCopies(layers, neurons));
        if (!family.name().equals("phi3-longrope")) {
            // whose heads no student may lose
            int[] heads = {0, 1, 3, 4};
            narrow = narrow.with(Axis.QUERY_HEAD, Collections.nCopies(layers, heads));
        }
        double sliced = error(teacher, narrow, RepairSettings.none());
        assertThat(error(teacher, narrow, SETTINGS)).isLessThan(sliced);
        if (family.name().equals("phi3-longrope")) {
            // nor their channels
            return;
        }
        Cut thin = Cut.nothing(config).with(Axis.HIDDEN, List.of(IntStream.range(6, 48).toArray()));
        assertThat(error(teacher, thin, SETTINGS.with(Level.READERS)))
                .isLessThan(error(teacher, thin, RepairSettings.none()));
    }

    private double error(Path teacher, Cut cut, RepairSettings settings) throws IOException {
        Path tokens = TinyModels.tokens(folder, 3000, 5);
        Path student = folder.resolve("student");
        try (TokenFile file = TokenFile.open(tokens)) {
            Repair.run(
                    new Repair.Request(
                            teacher,
                            cut,
                            new Sequences(file, 64, 1),
                            40,
                            settings,
                            student,
                            folder.resolve("work"),
                            "key"),
                    Compute.float32(),
                    Progress.NONE);
        }
        float[] a = TinyModels.logits(teacher, IDS);
        float[] b = TinyModels.logits(student, IDS);
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return sum;
    }
}
