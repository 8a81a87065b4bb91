package dev.penjing.compression.ranks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// A process that is one rank, exchanges numbers, and goes in the way that it is told to.
final class RankChild {
    private RankChild() {}

    static Process start(int rank, int worldSize, int port, String way) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                RankChild.class.getName(),
                                way));
        builder.environment().putAll(RankThreads.place(rank, worldSize, port).environment(rank));
        return builder.redirectErrorStream(true).start();
    }

    public static void main(String[] args) {
        RankPlace place = RankPlace.of(System.getenv()).orElseThrow();
        GlooRanks ranks = GlooRanks.join(place, RankThreads.LIMITS, () -> false);
        try {
            ranks.allReduce(new double[] {1});
            System.out.println("exchanged");
            switch (args[0]) {
                case "die" -> Runtime.getRuntime().halt(9);
                case "stop" -> Thread.sleep(60_000);
                case "fail" -> ranks.fail("the disk is full");
                default -> ranks.allReduce(new double[] {1});
            }
        } catch (RankLost e) {
            System.out.println("lost: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // an exchange that has not ended holds the group
        Runtime.getRuntime().halt(0);
    }
}
