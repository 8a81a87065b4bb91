package dev.penjing.cli;

import dev.penjing.model.inspection.Inspection;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/// `inspect`
@Command(name = "inspect", description = "Say what a model is: shape, parameters, bytes, memory.")
final class InspectCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Parameters(paramLabel = "MODEL", description = ModelSources.DESCRIPTION)
    String model = "";

    @Override
    public Integer call() {
        ConsoleProgress progress = new ConsoleProgress();
        Path directory = ModelSources.directory(model, progress);
        progress.finish();
        ObjectNode result = Inspection.of(model, directory);
        if (common.json) {
            Output.print(result);
        } else {
            System.out.print(Inspection.text(result));
        }
        return 0;
    }
}
