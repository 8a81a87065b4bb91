package dev.penjing.cli;

import dev.penjing.compression.data.DocumentMarks;
import dev.penjing.compression.run.TrainingJob;
import dev.penjing.compression.run.TrainingRun;
import dev.penjing.compression.run.TrainingText;
import dev.penjing.compression.training.CrossEntropy;
import dev.penjing.compression.training.LoopHooks;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.files.ModelFiles;
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

/// `distill`
@Command(name = "distill", description = "Heal a student by training it on what its teacher says.")
final class DistillCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin Options.Data data = new Options.Data();
    @Mixin TrainingOptions training = new TrainingOptions();
    @Mixin TrainingOptions.Loss loss = new TrainingOptions.Loss();
    @Mixin Options.Computing computing = new Options.Computing();
    @Mixin RankOptions ranks = new RankOptions();
    @Spec CommandSpec spec = CommandSpec.create();

    @Option(names = "--teacher", required = true, description = ModelSources.DESCRIPTION)
    String teacher = "";

    @Option(names = "--student", required = true, description = ModelSources.DESCRIPTION)
    String student = "";

    @Option(names = "--to", required = true, description = "The folder to make.")
    Path to = Path.of("");

    @Option(
            names = "--on-text",
            description =
                    "To compare: learn the next token of the text, not from the teacher (--objective ce).")
    boolean onText;

    @Option(names = "--resume", description = "Go on from the newest checkpoint.")
    boolean resume;

    @Override
    public Integer call() {
        Targets.keepApart(to, teacher, student);
        return ranks.run(spec, this::train);
    }

    private void train(LoopHooks hooks, int sharing) {
        ConsoleProgress progress =
                hooks.writes() ? new ConsoleProgress() : ConsoleProgress.silent();
        Path teacherFolder = hooks.rankZeroFirst(() -> ModelSources.directory(teacher, progress));
        Path studentFolder = hooks.rankZeroFirst(() -> ModelSources.directory(student, progress));
        TrainingSettings settings =
                training.settings(onText ? new CrossEntropy() : loss.parse(), loss);
        try (TrainingText text = hooks.rankZeroFirst(() -> text(studentFolder, progress))) {
            progress.say(
                    TrainingRun.distill(
                            teacherFolder,
                            studentFolder,
                            TrainingJob.of(settings, text, to, computing.start(progress, sharing))
                                    .resume(resume)
                                    .command(Output.commandLine(spec))
                                    .hooks(hooks)
                                    .progress(progress)));
        }
        if (hooks.writes()) {
            Output.print(common, "model", to.toString());
        }
    }

    private TrainingText text(Path studentFolder, ConsoleProgress progress) {
        Tokenizer tokenizer = Tokenizers.load(studentFolder);
        return TrainingText.of(
                data.corpus(progress),
                data.heldOutCorpus(),
                tokenizer,
                DocumentMarks.of(TextConventions.ofFolder(studentFolder, tokenizer)),
                ModelFiles.sha256OfModel(studentFolder),
                to.resolve("work"),
                progress);
    }
}
