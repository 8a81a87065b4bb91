package dev.penjing.cli;

import dev.penjing.compression.data.DocumentMarks;
import dev.penjing.compression.run.TrainingJob;
import dev.penjing.compression.run.TrainingRun;
import dev.penjing.compression.run.TrainingText;
import dev.penjing.compression.training.CrossEntropy;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.Hashes;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `pretrain`
@Command(name = "pretrain", description = "Train a model from random weights on text.")
final class PretrainCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin Options.Data data = new Options.Data();
    @Mixin TrainingOptions training = new TrainingOptions();
    @Mixin Options.Computing computing = new Options.Computing();
    @Spec CommandSpec spec = CommandSpec.create();

    @Option(names = "--config", required = true, description = "The model: a config.json.")
    Path config = Path.of("");

    @Option(
            names = "--tokenizer",
            required = true,
            description = "A folder with tokenizer.json and what belongs to it.")
    Path tokenizer = Path.of("");

    @Option(names = "--to", required = true, description = "The folder to make.")
    Path to = Path.of("");

    @Option(names = "--resume", description = "Go on from the newest checkpoint.")
    boolean resume;

    @Override
    public Integer call() {
        ConsoleProgress progress = new ConsoleProgress();
        ModelConfig model = ModelConfig.read(config);
        TrainingSettings settings = training.settings(new CrossEntropy());
        int length = settings.sequenceLength();
        if (length < model.maxPositionEmbeddings()) {
            progress.say(
                    "note: %s has a context of %d tokens, and --sequence-length %d trains none beyond its own: the model will fail there"
                            .formatted(config, model.maxPositionEmbeddings(), length));
        }
        Tokenizer loaded = Tokenizers.load(tokenizer);
        try (TrainingText text =
                TrainingText.of(
                        data.corpus(progress),
                        data.heldOutCorpus(),
                        loaded,
                        DocumentMarks.of(TextConventions.ofFolder(tokenizer, loaded)),
                        Hashes.sha256(tokenizer.resolve("tokenizer.json")),
                        to.resolve("work"),
                        progress)) {
            progress.say(
                    TrainingRun.pretrain(
                            model,
                            tokenizer,
                            TrainingJob.of(settings, text, to, computing.start(progress))
                                    .resume(resume)
                                    .command(Output.commandLine(spec))
                                    .progress(progress)));
        }
        Output.print(common, "model", to.toString());
        return 0;
    }
}
