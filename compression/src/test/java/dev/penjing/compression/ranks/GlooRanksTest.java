package dev.penjing.compression.ranks;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.compression.training.Shard;
import dev.penjing.model.PenjingException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Exchanges between ranks, and the end of one that is left alone.
@Timeout(60)
class GlooRanksTest {
    private static final int SIZE = 1003;

    private static float[] values(int rank) {
        float[] values = new float[SIZE];
        Random random = new Random(rank);
        for (int i = 0; i < SIZE; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static float[] shard(float[] all, int rank, int worldSize) {
        Shard shard = Shard.of(SIZE, rank, worldSize);
        return Arrays.copyOfRange(all, (int) shard.from(), (int) shard.to());
    }

    private record Result(float[] reduced, float[] gathered, double[] sums) {}

    private static Result exchange(GlooRanks ranks) {
        try (PointerScope scope = new PointerScope()) {
            Tensor gradient = TinyModels.tensor(values(ranks.rank()), SIZE);
            ranks.reduceScatter(gradient);
            Tensor own = TinyModels.tensor(values(ranks.rank()), SIZE);
            ranks.allGather(own);
            double[] sums = {ranks.rank() + 1.5, 1.0 / 3};
            ranks.allReduce(sums);
            return new Result(Tensors.floats(gradient), Tensors.floats(own), sums);
        }
    }

    /// A length that no number of ranks divides; the sums twice the same to the last bit.
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void sumsAndGathersShards(int worldSize) throws Exception {
        List<Result> results = RankThreads.run(worldSize, GlooRanksTest::exchange);
        List<Result> again = RankThreads.run(worldSize, GlooRanksTest::exchange);
        for (int rank = 0; rank < worldSize; rank++) {
            Result result = results.get(rank);
            float[] reduced = shard(result.reduced(), rank, worldSize);
            float[] expected = new float[reduced.length];
            double numbers = 0;
            for (int r = 0; r < worldSize; r++) {
                float[] part = shard(values(r), rank, worldSize);
                for (int i = 0; i < part.length; i++) {
                    expected[i] += part[i];
                }
                assertThat(shard(result.gathered(), r, worldSize))
                        .isEqualTo(shard(values(r), r, worldSize));
                numbers += r + 1.5;
            }
            assertThat(TinyModels.difference(reduced, expected)).isLessThan(1e-5);
            assertThat(result.sums()[0]).isEqualTo(numbers);
            assertThat(result.sums()).isEqualTo(results.getFirst().sums());
            assertThat(shard(again.get(rank).reduced(), rank, worldSize)).isEqualTo(reduced);
        }
    }

    @Test
    void oneThatIsAloneSaysWhoIsMissing() throws Exception {
        RankLimits short2 =
                new RankLimits(Duration.ofSeconds(2), Duration.ofSeconds(1), Duration.ofSeconds(5));
        int port = RankThreads.freePort();
        assertThatThrownBy(() -> GlooRanks.join(RankThreads.place(0, 3, port), short2, () -> false))
                .isInstanceOf(RankLost.class)
                .hasMessage("rank 1, 2 did not come to rank 0 at 127.0.0.1:%d within 2 s", port);
        assertThatThrownBy(() -> GlooRanks.join(RankThreads.place(1, 3, port), short2, () -> false))
                .isInstanceOf(RankLost.class)
                .hasMessageStartingWith(
                        "rank 1 did not meet rank 0 at 127.0.0.1:%d within 2 s".formatted(port));
    }

    @Test
    void aPortThatIsTakenIsNamed() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            int port = taken.getLocalPort();
            assertThatThrownBy(() ->
                            GlooRanks.join(
                                    RankThreads.place(0, 2, port), RankThreads.LIMITS, () -> false))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageStartingWith("rank 0 cannot listen at port " + port);
        }
    }

    /// What each of three processes says when rank 2 goes in the way given.
    private static List<String> survivors(String way) throws Exception {
        int port = RankThreads.freePort();
        List<Process> processes = new ArrayList<>();
        try {
            for (int rank = 0; rank < 3; rank++) {
                processes.add(RankChild.start(rank, 3, port, rank == 2 ? way : "stay"));
            }
            List<String> said = new ArrayList<>();
            Process lost = processes.get(2);
            try (var out = lost.inputReader()) {
                // Gloo itself says that it is connected
                assertThat(out.lines().dropWhile(line -> line.startsWith("[Gloo]")).findFirst())
                        .contains("exchanged");
                if (way.equals("stop")) {
                    new ProcessBuilder("kill", "-STOP", Long.toString(lost.pid()))
                            .start()
                            .waitFor();
                }
            }
            long start = System.nanoTime();
            for (Process survivor : processes.subList(0, 2)) {
                assertThat(survivor.waitFor(20, TimeUnit.SECONDS)).isTrue();
                try (var out = survivor.inputReader()) {
                    said.add(
                            out.lines()
                                    .filter(line -> !line.startsWith("[Gloo]"))
                                    .collect(joining("\n")));
                }
            }
            assertThat((System.nanoTime() - start) / 1e9).isLessThan(12);
            return said;
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    /// Every rank names the one that is gone, in one line.
    @ParameterizedTest
    @ValueSource(strings = {"die", "stop", "fail"})
    void aRankThatGoesIsNamedByAll(String way) throws Exception {
        String expected =
                switch (way) {
                    case "die" -> " ended in the middle of the run";
                    case "stop" ->
                            " was not heard of for 4 s: it hangs, or is cut off from the network";
                    default -> " failed: the disk is full";
                };
        assertThat(survivors(way))
                .hasSize(2)
                .allMatch(said ->
                        said.matches(
                                "exchanged\nlost: rank 2 \\(process \\d+ on .*\\)" + expected));
    }
}
