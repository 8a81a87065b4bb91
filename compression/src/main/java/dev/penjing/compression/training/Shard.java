package dev.penjing.compression.training;

/// One rank's part of a flat tensor: elements `from` to `to`. The parts of all ranks follow each
/// other, cover the tensor, and differ in length by one at most.
public record Shard(long from, long to) {
    /// @param size elements in all
    public static Shard of(long size, int rank, int worldSize) {
        return new Shard(start(size, rank, worldSize), start(size, rank + 1, worldSize));
    }

    // size * rank may be more than a long holds
    private static long start(long size, int rank, int worldSize) {
        long each = size / worldSize;
        return each * rank + Math.min(rank, size % worldSize);
    }

    public long size() {
        return to - from;
    }
}
