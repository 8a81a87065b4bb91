package dev.penjing.cli;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.importance.ImportanceFile;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.run.Cutting;
import dev.penjing.compression.run.VocabularyChoice;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Shape;
import dev.penjing.model.files.ModelFiles;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `prune`
@Command(
        name = "prune",
        description = "Cut a student out of a teacher, and repair what the cut tears.")
final class PruneCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin ShapeOptions sizes = new ShapeOptions();
    @Mixin RepairOptions.OnText repairing = new RepairOptions.OnText();
    @Mixin Options.Computing computing = new Options.Computing();
    @Spec CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "TEACHER", description = ModelSources.DESCRIPTION)
    String teacher = "";

    @Option(names = "--importance", description = "What score made.")
    Optional<Path> importance = Optional.empty();

    @Option(
            names = "--random",
            description = "Instead of --importance: keep parts drawn with this seed, to compare.")
    Optional<Long> random = Optional.empty();

    @Option(names = "--to", required = true, description = "The folder to make.")
    Path to = Path.of("");

    @Override
    public Integer call() {
        boolean scored = importance.isPresent() || random.isPresent();
        if (importance.isPresent() && random.isPresent() || !scored && !sizes.onlyVocabulary()) {
            throw new dev.penjing.model.UsageException(
                    "give --importance FILE (from penjing score), or --random SEED to compare");
        }
        Targets.keepApart(to, teacher);
        ConsoleProgress progress = new ConsoleProgress();
        Path directory = ModelSources.directory(teacher, progress);
        ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
        Optional<VocabularyChoice> vocabulary = sizes.vocabulary(repairing.data);
        Cut chosen = scored ? scored(directory, config) : Cut.nothing(config);
        Cut cut =
                vocabulary
                        .map(v -> v.cut(directory, config, chosen, progress::say, progress))
                        .orElse(chosen);
        if (!scored || repairing.data.isEmpty()) {
            if (scored) {
                repairing.requireNone(spec, progress);
            }
            Cutting.cut(directory, cut, to, Output.commandLine(spec), progress);
        } else {
            Cutting.repair(
                    directory,
                    cut,
                    Corpus.of(repairing.data),
                    repairing.sampled.samples,
                    repairing.sampled.sequenceLength,
                    repairing.sampled.seed,
                    repairing.how.settings(),
                    to,
                    Output.commandLine(spec),
                    computing.start(progress),
                    progress,
                    progress::say);
        }
        progress.finish();
        Output.print(common, "model", to.toString());
        return 0;
    }

    /// Along the axes whose parts have scores.
    private Cut scored(Path directory, ModelConfig config) {
        Shape shape = sizes.shape(config);
        return random.isPresent()
                ? Cut.random(config, shape, random.get())
                : Cut.best(
                        config,
                        ImportanceFile.read(
                                importance.orElseThrow(),
                                config,
                                ModelFiles.sha256OfModel(directory)),
                        shape);
    }
}
