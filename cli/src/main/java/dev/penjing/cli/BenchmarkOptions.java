package dev.penjing.cli;

import dev.penjing.evaluation.Benchmark;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.code.CodeRunner;
import dev.penjing.evaluation.code.Sandbox;
import dev.penjing.evaluation.code.SandboxLimits;
import dev.penjing.evaluation.data.BenchmarkData;
import dev.penjing.evaluation.tasks.Benchmarks;
import dev.penjing.model.UsageException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/// Which benchmarks, on which data.
final class BenchmarkOptions {
    @Option(
            names = "--tasks",
            description =
                    "all, or some of winogrande, arc_challenge, mmlu, hellaswag, gsm8k,"
                            + " truthfulqa_mc2, xlsum_en, mbpp, humaneval, separated by commas;"
                            + " parts of MMLU such as mmlu_stem or mmlu_astronomy.")
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
    /// not built.
    static void check(List<Benchmark> benchmarks, BenchmarkData data, Runner runner) {
        for (Benchmark benchmark : benchmarks) {
            for (Task task : benchmark.tasks()) {
                data.first(task.source().data(), task.source().evaluated(), 1);
            }
        }
        if (Benchmarks.runPrograms(benchmarks)) {
            runner.get();
        }
    }

    /// The sandbox, found when the first program is to be run.
    static final class Runner implements AutoCloseable {
        private Optional<CodeRunner> started = Optional.empty();

        synchronized CodeRunner get() {
            if (started.isEmpty()) {
                Path home = Path.of(System.getProperty("penjing.home", "."));
                started = Optional.of(Sandbox.find(home, SandboxLimits.DEFAULT));
            }
            return started.get();
        }

        @Override
        public synchronized void close() {
            started.ifPresent(CodeRunner::close);
        }
    }
}
