package dev.penjing.cli;

import dev.penjing.evaluation.Benchmark;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.data.BenchmarkData;
import dev.penjing.evaluation.tasks.Benchmarks;
import dev.penjing.model.UsageException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/// Which benchmarks, on which data.
final class BenchmarkOptions {
    /// The names of the benchmarks, for `--help`.
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Benchmarks.names().iterator();
        }
    }

    @Option(
            names = "--tasks",
            completionCandidates = Names.class,
            description =
                    "all, or some of ${COMPLETION-CANDIDATES}, separated by commas; parts of MMLU"
                            + " such as mmlu_stem or mmlu_astronomy.")
    Optional<String> tasks = Optional.empty();

    @Option(
            names = "--data-dir",
            description =
                    "Where the benchmarks' data lies, a folder for each; without it, it is pulled"
                            + " from the hub.")
    Optional<Path> dataDir = Optional.empty();

    @Option(names = "--limit", description = "Only the first items of each task.")
    Optional<Integer> limit = Optional.empty();

    OptionalInt limit() {
        if (limit.orElse(1) < 1) {
            throw new UsageException("--limit must be at least 1");
        }
        return limit.map(OptionalInt::of).orElse(OptionalInt.empty());
    }

    BenchmarkData data(ConsoleProgress progress) {
        return BenchmarkData.of(dataDir, System.getenv(), progress);
    }

    /// Finds out now what would else fail after hours: data that is not there, a sandbox that is
    /// not built and cannot be.
    static void check(List<Benchmark> benchmarks, BenchmarkData data, SandboxRunner runner) {
        for (Benchmark benchmark : benchmarks) {
            for (Task task : benchmark.tasks()) {
                data.first(task.info().data(), task.info().evaluated(), 1);
            }
        }
        if (Benchmarks.runPrograms(benchmarks)) {
            runner.get();
        }
    }
}
