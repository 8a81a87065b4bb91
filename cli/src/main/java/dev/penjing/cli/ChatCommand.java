package dev.penjing.cli;

import dev.penjing.compression.decoder.TorchModel;
import dev.penjing.compression.run.Conversation;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `chat`
@Command(name = "chat", description = "Talk with a model.")
final class ChatCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin Options.Computing computing = new Options.Computing();

    @Parameters(paramLabel = "MODEL", description = Models.DESCRIPTION)
    String model = "";

    @Option(
            names = "--max-new-tokens",
            defaultValue = "128",
            description = "Of an answer (default: ${DEFAULT-VALUE}).")
    int maxNewTokens = 128;

    @Override
    public Integer call() throws java.io.IOException {
        ConsoleProgress progress = new ConsoleProgress();
        Path directory = Models.directory(model, progress);
        try (TorchModel loaded =
                TorchModel.load(directory, Tokenizers.load(directory), computing.start(progress))) {
            Conversation.run(loaded, maxNewTokens, System.in, System.out);
        }
        return 0;
    }
}
