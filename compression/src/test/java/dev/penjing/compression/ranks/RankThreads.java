package dev.penjing.compression.ranks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/// Ranks of one group as threads of this process.
final class RankThreads {
    static final RankLimits LIMITS =
            new RankLimits(Duration.ofSeconds(20), Duration.ofSeconds(4), Duration.ofSeconds(60));

    private RankThreads() {}

    /// A port that nobody listened at a moment ago.
    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    static RankPlace place(int rank, int worldSize, int port) {
        return new RankPlace(rank, worldSize, worldSize, "127.0.0.1", port);
    }

    /// What each rank came to, in their order.
    static <T> List<T> run(int worldSize, Function<GlooRanks, T> work) throws Exception {
        return run(worldSize, () -> false, work);
    }

    /// @param stop whether the last rank has been told to end
    static <T> List<T> run(int worldSize, BooleanSupplier stop, Function<GlooRanks, T> work)
            throws Exception {
        int port = freePort();
        try (ExecutorService threads = Executors.newFixedThreadPool(worldSize)) {
            List<Future<T>> running = new ArrayList<>();
            for (int rank = 0; rank < worldSize; rank++) {
                RankPlace place = place(rank, worldSize, port);
                BooleanSupplier stops = rank == worldSize - 1 ? stop : () -> false;
                running.add(
                        threads.submit(() -> {
                            try (GlooRanks ranks = GlooRanks.join(place, LIMITS, stops)) {
                                return work.apply(ranks);
                            }
                        }));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> one : running) {
                results.add(one.get(60, TimeUnit.SECONDS));
            }
            return results;
        }
    }
}
