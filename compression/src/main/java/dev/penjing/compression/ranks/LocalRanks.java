package dev.penjing.compression.ranks;

import dev.penjing.model.UsageException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Map;
import java.util.Optional;

/// The ranks that one machine starts: some of those that train together, or all.
///
/// @param first the lowest of them
/// @param count how many
/// @param port where rank 0 listens; 0 for one that is free on this machine
public record LocalRanks(int first, int count, int worldSize, String address, int port) {
    /// @throws UsageException if they cannot be
    public LocalRanks {
        if (count < 1) {
            throw new UsageException("ranks must be positive, not " + count);
        }
    }

    /// All ranks on this machine.
    public static LocalRanks all(int count) {
        return new LocalRanks(0, count, count, "127.0.0.1", 0);
    }

    /// What Kubeflow's Trainer tells each node: `PET_NNODES`, `PET_NPROC_PER_NODE`,
    /// `PET_NODE_RANK`, `PET_MASTER_ADDR` and `PET_MASTER_PORT` (github.com/kubeflow/trainer,
    /// pkg/constants). A number of processes that is a word, such as `auto`, is one: a process uses
    /// all processors of its node.
    ///
    /// @return nothing where they are not set
    /// @throws UsageException if some of them are missing, or no numbers
    public static Optional<LocalRanks> ofKubeflow(Map<String, String> environment) {
        if (!environment.containsKey("PET_NNODES")) {
            return Optional.empty();
        }
        String each = environment.getOrDefault("PET_NPROC_PER_NODE", "auto");
        int count = each.matches("\\d+") ? Integer.parseInt(each) : 1;
        int nodes = RankPlace.number(environment, "PET_NNODES");
        return Optional.of(
                new LocalRanks(
                        RankPlace.number(environment, "PET_NODE_RANK") * count,
                        count,
                        nodes * count,
                        RankPlace.text(environment, "PET_MASTER_ADDR"),
                        RankPlace.number(environment, "PET_MASTER_PORT")));
    }

    /// One of them.
    ///
    /// @param local from 0 to `count` - 1
    public RankPlace place(int local) {
        return new RankPlace(first + local, worldSize, count, address, port);
    }

    /// The same, with a port that is free at this moment where none was given.
    LocalRanks withPort() {
        if (port > 0) {
            return this;
        }
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new LocalRanks(first, count, worldSize, address, socket.getLocalPort());
        } catch (IOException e) {
            throw new UsageException("no port is free on this machine: " + e.getMessage());
        }
    }
}
