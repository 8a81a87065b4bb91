package dev.penjing.inference;

import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.inference.speculation.Drafter;
import dev.penjing.model.UsageException;
import java.nio.file.Path;
import java.util.Optional;

/// How an engine runs.
///
/// @param threads 0 for one a core
/// @param quantization of the weights; empty for the file's own, eight bits if it has none
/// @param cacheBytes for keys and values, the draft's too; 0 for as much as eight long sequences
///   take, within a quarter of the machine's memory
/// @param maxContext tokens of a sequence at most; 0 for the model's own limit
/// @param maxSequences that run at once
/// @param chunk prompt tokens that go through the model at once
/// @param draft a smaller model with the same tokens, which proposes what the model may say next;
///   the text stays the same
/// @param draftTokens the most that it proposes at a time, 1 to 8
/// @param kernels a name of [KernelChoice#names]
public record EngineOptions(
        int threads,
        Optional<WeightFormat> quantization,
        long cacheBytes,
        int maxContext,
        int maxSequences,
        int chunk,
        Optional<Path> draft,
        int draftTokens,
        String kernels) {
    /// Unless told otherwise. With the token before them they are four rows, which the kernels
    /// compute together: with a fifth, the time is that of eight.
    public static final int DRAFT_TOKENS = 3;

    public static final EngineOptions DEFAULT = new EngineOptions(0, Optional.empty(), 0, 64, 256);

    /// @throws UsageException if a number is out of its range
    public EngineOptions {
        if (threads < 0) {
            throw new UsageException("threads must be 0 (one a core) or more");
        }
        if (draftTokens < 1 || draftTokens > Drafter.ROWS) {
            throw new UsageException(
                    "draftTokens must be between 1 and %d".formatted(Drafter.ROWS));
        }
        KernelChoice.checked(kernels);
    }

    /// Without a draft.
    public EngineOptions(
            int threads,
            Optional<WeightFormat> quantization,
            long cacheBytes,
            int maxSequences,
            int chunk) {
        this(
                threads,
                quantization,
                cacheBytes,
                0,
                maxSequences,
                chunk,
                Optional.empty(),
                DRAFT_TOKENS,
                KernelChoice.AUTO);
    }

    public EngineOptions withThreads(int count) {
        return new EngineOptions(
                count,
                quantization,
                cacheBytes,
                maxContext,
                maxSequences,
                chunk,
                draft,
                draftTokens,
                kernels);
    }

    public EngineOptions withQuantization(WeightFormat type) {
        return new EngineOptions(
                threads,
                Optional.of(type),
                cacheBytes,
                maxContext,
                maxSequences,
                chunk,
                draft,
                draftTokens,
                kernels);
    }

    /// @param bytes for keys and values
    /// @param context tokens of a sequence at most
    /// @param sequences that run at once
    public EngineOptions withRoom(long bytes, int context, int sequences) {
        return new EngineOptions(
                threads,
                quantization,
                bytes,
                context,
                sequences,
                chunk,
                draft,
                draftTokens,
                kernels);
    }

    /// @param tokens the most that it proposes at a time
    public EngineOptions withDraft(Path model, int tokens) {
        return new EngineOptions(
                threads,
                quantization,
                cacheBytes,
                maxContext,
                maxSequences,
                chunk,
                Optional.of(model),
                tokens,
                kernels);
    }

    /// @param name of [KernelChoice#names]
    public EngineOptions withKernels(String name) {
        return new EngineOptions(
                threads,
                quantization,
                cacheBytes,
                maxContext,
                maxSequences,
                chunk,
                draft,
                draftTokens,
                name);
    }
}
