package dev.penjing.cli;

import dev.penjing.world.WorldFiles;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `world`
@Command(
        name = "world",
        description =
                "Write the little world: training text, held-out text, and questions of nine kinds.")
final class WorldCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Option(names = "--to", required = true, description = "The directory to fill.")
    Path to = Path.of("");

    @Option(
            names = "--megabytes",
            defaultValue = "8",
            description = "Of training text (default: 8).")
    int megabytes = 8;

    @Option(names = "--seed", defaultValue = "1", description = "Of the texts (default: 1).")
    long seed = 1;

    @Override
    public Integer call() {
        WorldFiles.write(to, seed, megabytes * 1_000_000L);
        Output.print(common, "world", to.toString());
        return 0;
    }
}
