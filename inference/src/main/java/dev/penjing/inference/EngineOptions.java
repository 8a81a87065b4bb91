package dev.penjing.inference;

import dev.penjing.inference.kernel.Quantization;
import java.util.Optional;

/// How an engine runs.
///
/// @param threads 0 for one a core
/// @param quantization of the weights; empty for the file's own, eight bits if it has none
/// @param cacheBytes for keys and values; 0 for as much as eight long sequences take, within a
///   quarter of the machine's memory
/// @param maxSequences that run at once
/// @param chunk prompt tokens that go through the model at once
public record EngineOptions(
        int threads,
        Optional<Quantization> quantization,
        long cacheBytes,
        int maxSequences,
        int chunk) {
    public static final EngineOptions DEFAULT = new EngineOptions(0, Optional.empty(), 0, 64, 256);

    public EngineOptions withThreads(int count) {
        return new EngineOptions(count, quantization, cacheBytes, maxSequences, chunk);
    }

    public EngineOptions withQuantization(Quantization type) {
        return new EngineOptions(threads, Optional.of(type), cacheBytes, maxSequences, chunk);
    }
}
