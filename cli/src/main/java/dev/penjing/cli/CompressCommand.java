package dev.penjing.cli;

import dev.penjing.compression.run.Compression;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/// `compress`
@Command(name = "compress", description = "Score, prune, distil and measure, in one folder.")
final class CompressCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin ShapeOptions sizes = new ShapeOptions();
    @Mixin RepairOptions repair = new RepairOptions();
    @Mixin Options.Data data = new Options.Data();
    @Mixin TrainingOptions training = new TrainingOptions();
    @Mixin TrainingOptions.Loss loss = new TrainingOptions.Loss();
    @Mixin Options.Computing computing = new Options.Computing();
    @Spec CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "TEACHER", description = ModelSources.DESCRIPTION)
    String teacher = "";

    @Option(names = "--to", required = true, description = "The run folder.")
    Path to = Path.of("");

    @Option(
            names = "--samples",
            defaultValue = "1024",
            description = "Sequences to score importance on (default: ${DEFAULT-VALUE}).")
    int samples = 1024;

    @Option(
            names = "--scoring-length",
            defaultValue = "0",
            description = "Tokens in each of them (default: --sequence-length).")
    int scoringLength;

    @Option(
            names = "--items",
            description = "Questions to score the models on: items.jsonl of penjing world.")
    Optional<Path> items = Optional.empty();

    @Mixin BenchmarkOptions benchmarks = new BenchmarkOptions();

    @Override
    public Integer call() {
        Targets.keepApart(to, teacher);
        ConsoleProgress progress = new ConsoleProgress();
        try (SandboxRunner runner = new SandboxRunner(Installation.current(), computing.threads)) {
            compress(progress, tasks(runner, progress));
        }
        return 0;
    }

    private Optional<Compression.Tasks> tasks(SandboxRunner runner, ConsoleProgress progress) {
        if (benchmarks.tasks.isEmpty()) {
            if (benchmarks.dataDir.isPresent() || benchmarks.limit.isPresent()) {
                throw new UsageException("--data-dir and --limit are for --tasks: name them too");
            }
            return items.map(BenchmarkTasks::ofItems);
        }
        if (items.isPresent()) {
            throw new UsageException("--items or --tasks, not both");
        }
        return Optional.of(BenchmarkTasks.of(benchmarks, to, runner, progress));
    }

    private void compress(ConsoleProgress progress, Optional<Compression.Tasks> tasks) {
        if (scoringLength < 0 || scoringLength == 1) {
            throw new UsageException("--scoring-length must be at least 2");
        }
        Path directory = ModelSources.directory(teacher, progress);
        Compression.Request request =
                new Compression.Request(
                        directory,
                        sizes.shape(ModelConfig.read(directory.resolve("config.json"))),
                        sizes.vocabulary(data.paths),
                        data.corpus(progress),
                        data.heldOutCorpus(),
                        to,
                        samples,
                        scoringLength > 0 ? scoringLength : training.sequenceLength,
                        repair.settings(),
                        training.settings(loss.parse(), loss),
                        tasks,
                        Output.commandLine(spec));
        ObjectNode result =
                Compression.run(request, computing.start(progress), progress, progress::say);
        progress.finish();
        ResultTable.print(result, common.json, to);
    }
}
