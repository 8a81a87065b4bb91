package dev.penjing.cli;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.torch.Compute;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/// Options that several commands share.
final class Options {
    private Options() {}

    /// What every command takes.
    static class Basic {
        @Option(names = "--debug", description = "Print the stack trace of an error.")
        boolean debug;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Show this help.")
        boolean help;
    }

    /// And every one with a result.
    static final class Common extends Basic {
        @Option(names = "--json", description = "Print the result as one JSON object.")
        boolean json;
    }

    /// Where to compute.
    static final class Computing {
        @Option(
                names = "--device",
                defaultValue = "auto",
                description = "auto, cpu or cuda (default: ${DEFAULT-VALUE}).")
        String device = "auto";

        @Option(
                names = "--dtype",
                defaultValue = "auto",
                description =
                        "auto, float32 or bfloat16: the type that computes. Weights in training and"
                                + " the optimizer are float32 all the same (default:"
                                + " ${DEFAULT-VALUE}).")
        String type = "auto";

        @Option(
                names = "--threads",
                defaultValue = "0",
                description = "CPU threads; 0 for all (default).")
        int threads;

        Compute start(ConsoleProgress progress) {
            return start(progress, 1);
        }

        /// @param sharing processes of this machine that share its processors
        Compute start(ConsoleProgress progress, int sharing) {
            int all = Runtime.getRuntime().availableProcessors();
            Compute compute =
                    Compute.start(device, type, threads > 0 ? threads : Math.max(1, all / sharing));
            progress.say(compute.describe());
            return compute;
        }
    }

    /// The text to learn from.
    static final class Data {
        @Option(
                names = "--data",
                required = true,
                arity = "1..*",
                description =
                        "Text: .jsonl, .json, .csv or .parquet (with \"text\"), text files, folders; compressed by gzip or zstd, too.")
        List<Path> paths = List.of();

        @Option(
                names = "--held-out",
                description = "Text to measure on, which training never sees.")
        Optional<Path> heldOut = Optional.empty();

        Corpus corpus(ConsoleProgress progress) {
            Corpus corpus = Corpus.of(paths);
            corpus.notes().forEach(progress::say);
            return corpus;
        }

        Optional<Corpus> heldOutCorpus() {
            return heldOut.map(path -> Corpus.of(List.of(path)));
        }
    }
}
