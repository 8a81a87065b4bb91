package dev.penjing.cli;

import dev.penjing.compression.run.Memory;
import dev.penjing.compression.run.Scoring;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `score`
@Command(name = "score", description = "Score how much every part of a teacher matters.")
final class ScoreCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin Options.Data data = new Options.Data();
    @Mixin Options.Computing computing = new Options.Computing();

    @Parameters(paramLabel = "TEACHER", description = ModelSources.DESCRIPTION)
    String teacher = "";

    @Option(names = "--to", required = true, description = "The safetensors file to make.")
    Path to = Path.of("");

    @Option(
            names = "--samples",
            defaultValue = "1024",
            description = "Sequences to look at (default: ${DEFAULT-VALUE}).")
    int samples = 1024;

    @Option(
            names = "--sequence-length",
            defaultValue = "4096",
            description = "Tokens a sequence (default: ${DEFAULT-VALUE}, or the model's context).")
    int sequenceLength = 4096;

    @Option(names = "--seed", defaultValue = "1", description = "Of the choice of sequences.")
    long seed = 1;

    @Option(
            names = "--memory",
            description =
                    "Use no more than about this, such as 8GB: a larger teacher goes through one layer at a time (default: what the machine has).")
    Optional<String> memory = Optional.empty();

    @Override
    public Integer call() {
        ConsoleProgress progress = new ConsoleProgress();
        Path directory = ModelSources.directory(teacher, progress);
        Scoring.run(
                directory,
                data.corpus(progress),
                samples,
                sequenceLength,
                seed,
                to,
                memory.map(Memory::parse).orElseGet(Memory::ofMachine),
                computing.start(progress),
                progress);
        progress.finish();
        Output.print(common, "importance", to.toString());
        return 0;
    }
}
