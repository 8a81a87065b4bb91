package dev.penjing.compression.ranks;

import dev.penjing.model.UsageException;
import java.util.Map;
import java.util.Optional;

/// Where a process stands among those that train together, by the names that PyTorch's launchers
/// give: `RANK`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT`, `LOCAL_RANK` and `LOCAL_WORLD_SIZE`
/// (docs.pytorch.org/docs/stable/elastic/run.html#environment-variables).
///
/// @param rank from 0 to `worldSize` - 1
/// @param localWorldSize processes on this machine, which share its processors
/// @param address of rank 0, as all see it
/// @param port where rank 0 listens
public record RankPlace(int rank, int worldSize, int localWorldSize, String address, int port) {
    /// @throws UsageException that names the variable which cannot be
    public RankPlace {
        require(worldSize > 0, "WORLD_SIZE must be positive, not " + worldSize);
        require(
                rank >= 0 && rank < worldSize,
                "RANK must lie between 0 and WORLD_SIZE - 1, %d, not be %d"
                        .formatted(worldSize - 1, rank));
        require(
                localWorldSize > 0 && localWorldSize <= worldSize,
                "LOCAL_WORLD_SIZE must lie between 1 and WORLD_SIZE, %d, not be %d"
                        .formatted(worldSize, localWorldSize));
        require(
                port > 0 && port < 1 << 16,
                "MASTER_PORT must lie between 1 and 65535, not be " + port);
        require(!address.isBlank(), "MASTER_ADDR must name the host of rank 0");
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new UsageException(message);
        }
    }

    /// What the variables say of this process; nothing where none of them is set, as for a process
    /// that trains alone.
    ///
    /// @throws UsageException if some of them are set, but not all that are needed
    public static Optional<RankPlace> of(Map<String, String> environment) {
        if (!environment.containsKey("RANK") && !environment.containsKey("WORLD_SIZE")) {
            return Optional.empty();
        }
        int world = number(environment, "WORLD_SIZE");
        return Optional.of(
                new RankPlace(
                        number(environment, "RANK"),
                        world,
                        environment.containsKey("LOCAL_WORLD_SIZE")
                                ? number(environment, "LOCAL_WORLD_SIZE")
                                : 1,
                        text(environment, "MASTER_ADDR"),
                        number(environment, "MASTER_PORT")));
    }

    /// The variables that say this to a process.
    ///
    /// @param localRank its number on its own machine
    Map<String, String> environment(int localRank) {
        return Map.of(
                "RANK", Integer.toString(rank),
                "WORLD_SIZE", Integer.toString(worldSize),
                "LOCAL_RANK", Integer.toString(localRank),
                "LOCAL_WORLD_SIZE", Integer.toString(localWorldSize),
                "MASTER_ADDR", address,
                "MASTER_PORT", Integer.toString(port));
    }

    static int number(Map<String, String> environment, String name) {
        String value = text(environment, name);
        try {
            return Integer.parseInt(value.strip());
        } catch (NumberFormatException e) {
            throw new UsageException(name + " must be a whole number, not " + value);
        }
    }

    static String text(Map<String, String> environment, String name) {
        String value = environment.getOrDefault(name, "");
        require(
                !value.isBlank(),
                name + " is not set: ranks need RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT");
        return value;
    }
}
