package dev.penjing.cli;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.run.TrainingRun;
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
    @Mixin Options.Computing computing = new Options.Computing();
    @Spec CommandSpec spec = CommandSpec.create();

    @Option(names = "--teacher", required = true, description = Models.DESCRIPTION)
    String teacher = "";

    @Option(names = "--student", required = true, description = Models.DESCRIPTION)
    String student = "";

    @Option(names = "--to", required = true, description = "The folder to make.")
    Path to = Path.of("");

    @Option(
            names = "--on-text",
            description = "To compare: learn the next token of the text, not from the teacher.")
    boolean onText;

    @Option(names = "--resume", description = "Go on from the newest checkpoint.")
    boolean resume;

    @Override
    public Integer call() {
        ConsoleProgress progress = new ConsoleProgress();
        Path teacherFolder = Models.directory(teacher, progress);
        Path studentFolder = Models.directory(student, progress);
        Path work = to.resolve("work");
        Tokenizer tokenizer = Tokenizers.load(studentFolder);
        try (TrainingRun.Text text =
                TrainingRun.text(
                        Corpus.of(data.paths),
                        data.heldOutCorpus(),
                        tokenizer,
                        TextConventions.ofFolder(studentFolder, tokenizer).documentEnd(),
                        ModelFiles.sha256OfModel(studentFolder),
                        work,
                        progress)) {
            String phases =
                    TrainingRun.distill(
                            teacherFolder,
                            studentFolder,
                            text,
                            training.settings(),
                            work,
                            to,
                            onText,
                            resume,
                            Output.commandLine(spec),
                            computing.start(progress),
                            progress);
            progress.say(phases);
        }
        Output.print(common, "model", to.toString());
        return 0;
    }
}
