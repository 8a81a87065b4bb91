package dev.penjing.cli;

import dev.penjing.model.hub.Hub;
import dev.penjing.model.hub.HubModel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `pull`
@Command(name = "pull", description = "Fetch a checkpoint from the hub.")
final class PullCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Parameters(paramLabel = "SOURCE", description = "hf:org/name[@revision]")
    String source = "";

    @Option(names = "--to", required = true, description = "The directory to fill.")
    Path to = Path.of("");

    @Override
    public Integer call() {
        ConsoleProgress progress = new ConsoleProgress();
        new Hub(System.getenv()).pull(HubModel.parse(source), to, progress);
        progress.finish();
        Output.print(common, "model", to.toString());
        return 0;
    }
}
