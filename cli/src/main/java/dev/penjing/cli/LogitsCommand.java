package dev.penjing.cli;

import dev.penjing.compression.run.Measuring;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/// `logits`
@Command(name = "logits", description = "Print what a model makes of token ids.")
final class LogitsCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin Options.Computing computing = new Options.Computing();

    @Parameters(paramLabel = "MODEL", description = ModelSources.DESCRIPTION)
    String model = "";

    @Option(names = "--ids", required = true, split = ",", description = "Token ids: 1,2,3")
    int[] ids = {};

    @Override
    public Integer call() {
        ConsoleProgress progress = new ConsoleProgress();
        Path directory = ModelSources.directory(model, progress);
        if (computing.type.equals("auto")) {
            computing.type = "float32";
        }
        ObjectNode result = Measuring.logits(directory, ids, computing.start(progress));
        if (common.json) {
            Output.print(result);
        } else {
            System.out.println("argmax " + result.path("argmax"));
        }
        return 0;
    }
}
