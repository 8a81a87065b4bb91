package dev.penjing.compression.run;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.Parameters;
import dev.penjing.compression.decoder.TorchModel;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.training.HeldOut;
import dev.penjing.compression.training.RandomWeights;
import dev.penjing.compression.training.Trainer;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.Hashes;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// One training in a folder of its own: `pretrain` and `distill` as commands of their own.
///
/// The folder comes to hold the model in Hugging Face form, `run.json` and `metrics.jsonl`; while
/// it trains, `work/` holds tokens and checkpoints.
public final class TrainingRun {
    /// Tokens kept back for measuring where no held-out text is given, at most.
    private static final long KEPT_BACK = 200_000;

    /// Tokens of held-out text that measurements during the run look at.
    private static final long MEASURED = 32_768;

    private TrainingRun() {}

    /// What is trained on and measured on. Owns the mapped files.
    public record Text(TokenFile training, TokenFile heldOut, String hash, TokenFile... owned)
            implements AutoCloseable {
        @Override
        public void close() {
            for (TokenFile file : owned) {
                file.close();
            }
        }
    }

    /// Tokenises `data` and `heldOut` into `folder`, unless that has been done. Without held-out
    /// text the last twentieth of the data is kept back.
    ///
    /// @param documentEnd the token that closes each document
    public static Text text(
            Corpus data,
            Optional<Corpus> heldOut,
            Tokenizer tokenizer,
            OptionalInt documentEnd,
            String tokenizerHash,
            Path folder,
            Progress progress) {
        StringBuilder hashes = new StringBuilder(tokenizerHash);
        data.files().forEach(f -> hashes.append(Hashes.sha256(f)));
        heldOut.ifPresent(c -> c.files().forEach(f -> hashes.append(Hashes.sha256(f))));
        String hash = Hashes.sha256(hashes.toString()).substring(0, 16);
        Path train = folder.resolve("train-" + hash + ".bin");
        if (!Files.exists(train)) {
            TokenFile.write(data, tokenizer, documentEnd, train, Long.MAX_VALUE, progress);
        }
        TokenFile all = TokenFile.open(train);
        if (heldOut.isEmpty()) {
            long split = all.size() - Math.min(KEPT_BACK, all.size() / 20);
            return new Text(all.part(0, split), all.part(split, all.size()), hash, all);
        }
        Path held = folder.resolve("held-out-" + hash + ".bin");
        if (!Files.exists(held)) {
            TokenFile.write(heldOut.get(), tokenizer, documentEnd, held, Long.MAX_VALUE, progress);
        }
        TokenFile measured = TokenFile.open(held);
        return new Text(all, measured, hash, all, measured);
    }

    /// The window that measurements use: 2048, or the model's context where that is shorter.
    static int window(ModelConfig config) {
        return Math.min(2048, config.maxPositionEmbeddings());
    }

    /// Trains from random weights on the next token.
    ///
    /// @return where the time of a step went
    public static String pretrain(
            ModelConfig config,
            Path tokenizerFolder,
            Corpus data,
            Optional<Corpus> heldOut,
            TrainingSettings settings,
            Path to,
            boolean resume,
            String command,
            Compute compute,
            Progress progress) {
        Tokenizer tokenizer = Tokenizers.load(tokenizerFolder);
        TorchModel.requireFits(tokenizer, config, tokenizerFolder);
        Path work = to.resolve("work");
        String hash = Hashes.sha256(tokenizerFolder.resolve("tokenizer.json"));
        OptionalInt documentEnd =
                TextConventions.ofFolder(tokenizerFolder, tokenizer).documentEnd();
        try (Text text = text(data, heldOut, tokenizer, documentEnd, hash, work, progress)) {
            String fingerprint =
                    Hashes.sha256(
                            "pretrain 1 "
                                    + text.hash()
                                    + config.toJson()
                                    + settings
                                    + compute.type());
            Parameters start = RandomWeights.draw(config, settings.seed(), compute);
            String phases =
                    train(
                            settings,
                            config,
                            start,
                            Optional.empty(),
                            text,
                            tokenizer,
                            work,
                            to,
                            fingerprint,
                            resume,
                            compute,
                            progress);
            ModelFiles.copyCompanions(tokenizerFolder, to);
            RunRecord.pretrain(command, text.hash(), settings).write(to);
            return phases;
        }
    }

    /// Trains `student` on the distribution of `teacher`, or, to compare, on the text alone.
    ///
    /// @param onText the next token is the target; the teacher is only measured against
    /// @return where the time of a step went
    public static String distill(
            Path teacher,
            Path student,
            Text text,
            TrainingSettings settings,
            Path work,
            Path to,
            boolean onText,
            boolean resume,
            String command,
            Compute compute,
            Progress progress) {
        ModelConfig teacherConfig = ModelConfig.read(teacher.resolve("config.json"));
        ModelConfig config = ModelConfig.read(student.resolve("config.json"));
        Tokenizer tokenizer = Tokenizers.load(student);
        TorchModel.requireFits(tokenizer, config, student);
        String fingerprint =
                Hashes.sha256(
                        "distill 1 "
                                + onText
                                + text.hash()
                                + ModelFiles.sha256OfModel(teacher)
                                + ModelFiles.sha256OfModel(student)
                                + settings
                                + compute.type());
        try (Parameters parameters =
                        Parameters.load(teacher, teacherConfig, compute, compute.type());
                Decoder taught = new Decoder(teacherConfig, parameters, compute)) {
            Parameters start = Parameters.load(student, config, compute, ScalarType.Float);
            String phases =
                    train(
                            settings,
                            config,
                            start,
                            onText ? Optional.empty() : Optional.of(taught),
                            text,
                            tokenizer,
                            work,
                            to,
                            fingerprint,
                            resume,
                            compute,
                            progress);
            ModelFiles.copyCompanions(student, to);
            RunRecord.distill(command, teacher, student, settings).write(to);
            return phases;
        }
    }

    /// @throws PenjingException if sequences are longer than the model's context
    static void requireLength(TrainingSettings settings, ModelConfig config) {
        if (settings.sequenceLength() > config.maxPositionEmbeddings()) {
            throw new PenjingException(
                    "--sequence-length %d is more than the model's context of %d: give a shorter one"
                            .formatted(settings.sequenceLength(), config.maxPositionEmbeddings()));
        }
    }

    private static String train(
            TrainingSettings settings,
            ModelConfig config,
            Parameters start,
            Optional<Decoder> teacher,
            Text text,
            Tokenizer tokenizer,
            Path work,
            Path to,
            String fingerprint,
            boolean resume,
            Compute compute,
            Progress progress) {
        requireLength(settings, config);
        Sequences sequences =
                new Sequences(text.training(), settings.sequenceLength(), settings.seed());
        HeldOut heldOut = HeldOut.of(text.heldOut(), window(config), tokenizer, MEASURED);
        try (Trainer trainer =
                new Trainer(
                        settings,
                        config,
                        start,
                        teacher,
                        sequences,
                        Optional.of(heldOut),
                        compute)) {
            trainer.run(work, fingerprint, resume, progress);
            trainer.save(to, DType.BF16);
            return trainer.times().describe();
        }
    }
}
