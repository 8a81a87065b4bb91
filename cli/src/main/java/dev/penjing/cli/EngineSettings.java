package dev.penjing.cli;

import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.KernelChoice;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.model.UsageException;
import java.util.Iterator;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Options of the commands that use the engine.
final class EngineSettings {
    @Option(names = "--threads", defaultValue = "0", description = "0 for one a core (default).")
    int threads;

    @Mixin Kernels kernels = new Kernels();

    @Option(
            names = "--quantization",
            completionCandidates = Formats.class,
            description =
                    "${COMPLETION-CANDIDATES}: what the weights are computed in (default: the"
                            + " file's own, or the finest).")
    Optional<String> quantization = Optional.empty();

    @Option(
            names = "--draft",
            paramLabel = "MODEL",
            description =
                    "A much smaller model with the same tokens, which proposes what comes next: the"
                            + " text stays the same, and comes sooner where the draft is often"
                            + " right.")
    Optional<String> draft = Optional.empty();

    @Option(
            names = "--draft-tokens",
            description = "The most that a draft proposes at a time, 1 to 8 (default: 3).")
    Optional<Integer> draftTokens = Optional.empty();

    /// What computes, on the engine.
    static final class Kernels {
        @Option(
                names = "--kernels",
                defaultValue = KernelChoice.AUTO,
                completionCandidates = Names.class,
                description =
                        "${COMPLETION-CANDIDATES}: what computes on the engine; auto is the fastest"
                                + " that the processor has (default: ${DEFAULT-VALUE}).")
        String name = KernelChoice.AUTO;

        /// @throws UsageException if they are named, and something else computes
        void check(boolean onEngine) {
            if (!onEngine && !name.equals(KernelChoice.AUTO)) {
                throw new UsageException("--kernels are the engine's: add --engine");
            }
        }

        /// Otherwise as always.
        EngineOptions on(int threads) {
            return EngineOptions.DEFAULT.withThreads(threads).withKernels(name);
        }
    }

    /// What `--kernels` may be.
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return KernelChoice.names().iterator();
        }
    }

    /// What `--quantization` may be.
    static final class Formats implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return WeightFormat.names().iterator();
        }
    }

    EngineOptions options(ConsoleProgress progress) {
        EngineOptions options = kernels.on(threads);
        if (quantization.isPresent()) {
            options = options.withQuantization(WeightFormat.named(quantization.get()));
        }
        if (draft.isPresent()) {
            return options.withDraft(
                    ModelSources.enginePath(draft.get(), progress),
                    draftTokens.orElse(EngineOptions.DRAFT_TOKENS));
        }
        if (draftTokens.isPresent()) {
            throw new UsageException("--draft-tokens needs --draft");
        }
        return options;
    }
}
