package dev.penjing.compression.run;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.importance.DepthChoice;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.pruning.Pruner;
import dev.penjing.compression.repair.Repair;
import dev.penjing.compression.repair.RepairSettings;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.identity.Fingerprint;
import dev.penjing.model.vocabulary.Vocabulary;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// `prune`: a student cut out of a teacher and, where that is wanted, repaired.
public final class Cutting {
    /// Sequences that the choice of layers goes by: the model runs over them once for each layer.
    private static final int DEPTH_SAMPLES = 16;

    private Cutting() {}

    /// The text that a repair goes by.
    ///
    /// @param samples sequences of it
    /// @param length tokens in each
    /// @param seed of their choice
    public record Text(TokenFile tokens, int samples, int length, long seed) {
        /// @throws UsageException if there is nothing to hold out
        public Text {
            if (samples < 2 || length < 2) {
                throw new UsageException(
                        "a repair needs 2 samples of 2 tokens at least: one of them is held out");
            }
        }
    }

    /// Cuts only.
    public static void cut(Path teacher, Cut cut, Path to, String command, Progress progress) {
        ModelConfig config = ModelConfig.read(teacher.resolve("config.json"));
        Pruner.prune(teacher, config, cut, to, progress);
        RunRecord.prune(command, teacher, cut).write(to);
    }

    /// Cuts and repairs. A run that was stopped goes on at its layer.
    public static void repair(
            Path teacher,
            Cut cut,
            Text text,
            RepairSettings settings,
            Path to,
            String command,
            Compute compute,
            Progress progress,
            Consumer<String> say) {
        ModelConfig config = ModelConfig.read(teacher.resolve("config.json"));
        int fitting =
                (int)
                        Math.min(
                                Math.min(text.length(), config.maxPositionEmbeddings()),
                                text.tokens().size() - 1);
        Sequences sequences = new Sequences(text.tokens(), Math.max(2, fitting), text.seed());
        Cut chosen = chooseLayers(teacher, config, cut, sequences, settings, compute, progress);
        if (settings.level() == RepairSettings.Level.NONE) {
            cut(teacher, chosen, to, command, progress);
            return;
        }
        Fingerprint key =
                Fingerprint.of("repair", 1)
                        .with("teacher", ModelFiles.sha256OfModel(teacher))
                        .with("text", text.tokens().sha256())
                        .with("samples", text.samples())
                        .with("length", fitting)
                        .with("seed", text.seed())
                        .with("settings", settings.key())
                        .with("cut", chosen.key())
                        .with("arithmetic", compute.arithmetic().releaseKey());
        Path folder = to.resolveSibling(to.toAbsolutePath().getFileName() + ".repair");
        Repair.Result result =
                Repair.run(
                        new Repair.Request(
                                teacher,
                                chosen,
                                sequences,
                                text.samples(),
                                settings,
                                to,
                                folder,
                                key.sha256()),
                        compute,
                        progress);
        Vocabulary.copyCompanions(teacher, config, result.cut().tokens(), to);
        say.accept(result.report().describe());
        RunRecord.prune(command, teacher, result.cut()).repaired(result.report()).write(to);
    }

    /// The cut with the layers that the model says to keep, where it is asked.
    private static Cut chooseLayers(
            Path teacher,
            ModelConfig config,
            Cut cut,
            Sequences text,
            RepairSettings settings,
            Compute compute,
            Progress progress) {
        int count = cut.layers().length;
        if (settings.depth() == DepthChoice.INFLUENCE || count == config.numHiddenLayers()) {
            return cut;
        }
        try (FlatParameters parameters =
                        FlatParameters.load(teacher, config, compute, compute.type());
                Decoder model = new Decoder(config, parameters, compute)) {
            int[] kept = settings.depth().kept(model, text, DEPTH_SAMPLES, count, progress);
            return cut.with(Axis.LAYER, List.of(kept));
        }
    }

    /// The same by a text that is not yet tokens.
    ///
    /// @param samples sequences of it
    /// @param length tokens in each
    public static void repair(
            Path teacher,
            Cut cut,
            Corpus data,
            int samples,
            int length,
            long seed,
            RepairSettings settings,
            Path to,
            String command,
            Compute compute,
            Progress progress,
            Consumer<String> say) {
        Scoring.withTokens(
                teacher,
                data,
                to,
                progress,
                tokens ->
                        repair(
                                teacher,
                                cut,
                                new Text(tokens, samples, length, seed),
                                settings,
                                to,
                                command,
                                compute,
                                progress,
                                say));
    }
}
