package dev.penjing.compression.ranks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.UsageException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RankPlaceTest {
    private static final Map<String, String> TORCHRUN =
            Map.of(
                    "RANK", "5",
                    "WORLD_SIZE", "8",
                    "LOCAL_RANK", "1",
                    "LOCAL_WORLD_SIZE", "4",
                    "MASTER_ADDR", "node-0",
                    "MASTER_PORT", "29400");

    @Test
    void isWhatTorchrunSays() {
        assertThat(RankPlace.of(TORCHRUN)).contains(new RankPlace(5, 8, 4, "node-0", 29400));
        assertThat(RankPlace.of(Map.of("PATH", "/bin"))).isEmpty();
        assertThat(new RankPlace(5, 8, 4, "node-0", 29400).environment(1)).isEqualTo(TORCHRUN);
    }

    @ParameterizedTest
    @CsvSource({
        "RANK, 8, 'RANK must lie between 0 and WORLD_SIZE - 1, 7, not be 8'",
        "RANK, one, 'RANK must be a whole number, not one'",
        "MASTER_PORT, 70000, 'MASTER_PORT must lie between 1 and 65535, not be 70000'",
        "LOCAL_WORLD_SIZE, 9, 'LOCAL_WORLD_SIZE must lie between 1 and WORLD_SIZE, 8, not be 9'",
        "MASTER_ADDR, '', 'MASTER_ADDR is not set: ranks need RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT'"
    })
    void aVariableThatCannotBeIsNamed(String name, String value, String message) {
        Map<String, String> environment = new HashMap<>(TORCHRUN);
        environment.put(name, value);
        assertThatThrownBy(() -> RankPlace.of(environment))
                .isInstanceOf(UsageException.class)
                .hasMessage(message);
    }

    /// A node of Kubeflow's starts its share of the ranks.
    @Test
    void isWhatKubeflowSays() {
        Map<String, String> environment =
                new HashMap<>(
                        Map.of(
                                "PET_NNODES", "3",
                                "PET_NPROC_PER_NODE", "2",
                                "PET_NODE_RANK", "1",
                                "PET_MASTER_ADDR", "job-node-0-0.job",
                                "PET_MASTER_PORT", "29500"));
        LocalRanks two = LocalRanks.ofKubeflow(environment).orElseThrow();
        assertThat(two).isEqualTo(new LocalRanks(2, 2, 6, "job-node-0-0.job", 29500));
        assertThat(two.place(1)).isEqualTo(new RankPlace(3, 6, 2, "job-node-0-0.job", 29500));
        environment.put("PET_NPROC_PER_NODE", "auto");
        assertThat(LocalRanks.ofKubeflow(environment).orElseThrow().place(0))
                .isEqualTo(new RankPlace(1, 3, 1, "job-node-0-0.job", 29500));
        environment.remove("PET_MASTER_ADDR");
        assertThatThrownBy(() -> LocalRanks.ofKubeflow(environment))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith("PET_MASTER_ADDR is not set");
        assertThat(LocalRanks.ofKubeflow(TORCHRUN)).isEmpty();
    }
}
