package dev.penjing.compression.run;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.training.HeldOut;
import dev.penjing.compression.training.RandomWeights;
import dev.penjing.compression.training.Trainer;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.FolderLock;
import dev.penjing.model.files.Hashes;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import dev.penjing.model.vocabulary.Vocabulary;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// One training in a folder of its own: `pretrain` and `distill` as commands of their own.
///
/// The folder comes to hold the model in Hugging Face form, `run.json` and `metrics.jsonl`; while
/// it trains, `work/` holds tokens and checkpoints.
public final class TrainingRun {
    /// Tokens of held-out text that measurements during the run look at.
    private static final long MEASURED = 32_768;

    private TrainingRun() {}

    /// The window that measurements use: 2048, or the model's context where that is shorter.
    static int window(ModelConfig config) {
        return Math.min(2048, config.maxPositionEmbeddings());
    }

    /// Trains from random weights.
    ///
    /// @param tokenizerFolder whose tokenizer made the job's text
    /// @return where the time of a step went
    public static String pretrain(ModelConfig config, Path tokenizerFolder, TrainingJob job) {
        requireLength(job.settings(), config);
        Tokenizer tokenizer = Tokenizers.load(tokenizerFolder);
        Tokenizers.requireFits(tokenizer, config, tokenizerFolder);
        String fingerprint = fingerprint(job, "pretrain", config.toJson());
        FlatParameters start = RandomWeights.draw(config, job.settings().seed(), job.compute());
        String phases = train(job, config, start, Optional.empty(), tokenizer, fingerprint);
        if (job.hooks().writes()) {
            ModelFiles.copyCompanions(tokenizerFolder, job.to());
            RunRecord.pretrain(job.command(), job.text().hash(), job.settings()).write(job.to());
        }
        return phases;
    }

    /// Trains `student` on the distribution of `teacher`, or on what else the objective says; the
    /// held-out text is measured against the teacher in any case. Of a teacher with more tokens
    /// than the student, the distribution is that over the student's.
    ///
    /// @return where the time of a step went
    public static String distill(Path teacher, Path student, TrainingJob job) {
        ModelConfig teacherConfig = ModelConfig.read(teacher.resolve("config.json"));
        ModelConfig config = ModelConfig.read(student.resolve("config.json"));
        requireLength(job.settings(), config);
        Tokenizer tokenizer = Tokenizers.load(student);
        Tokenizers.requireFits(tokenizer, config, student);
        Compute compute = job.compute();
        String fingerprint =
                fingerprint(
                        job,
                        "distill",
                        ModelFiles.sha256OfModel(teacher),
                        ModelFiles.sha256OfModel(student));
        try (FlatParameters parameters = taught(teacher, teacherConfig, student, config, compute);
                Decoder taught =
                        new Decoder(
                                FlatParameters.withTokens(teacherConfig, config.vocabularySize()),
                                parameters,
                                compute)) {
            FlatParameters start = FlatParameters.load(student, config, compute, ScalarType.Float);
            String phases = train(job, config, start, Optional.of(taught), tokenizer, fingerprint);
            if (job.hooks().writes()) {
                ModelFiles.copyCompanions(student, job.to());
                RunRecord.distill(job.command(), teacher, student, job.settings()).write(job.to());
            }
            return phases;
        }
    }

    /// The teacher's parameters, as a model of the student's tokens.
    private static FlatParameters taught(
            Path teacher,
            ModelConfig teacherConfig,
            Path student,
            ModelConfig config,
            Compute compute) {
        if (teacherConfig.vocabularySize() == config.vocabularySize()) {
            return FlatParameters.load(teacher, teacherConfig, compute, compute.type());
        }
        int[] tokens = Vocabulary.of(teacher, teacherConfig).idsOf(Vocabulary.of(student, config));
        return FlatParameters.load(teacher, teacherConfig, tokens, compute, compute.type());
    }

    /// A hash of all that decides the weights: settings, the ids that are trained on, the type that
    /// computes, and where the weights come from.
    static String fingerprint(TrainingJob job, String kind, String... origins) {
        return Hashes.sha256(
                "%s 2\n%stokens=%s\ntype=%s\n%s"
                        .formatted(
                                kind,
                                job.settings().fingerprint(),
                                job.text().training().sha256(),
                                job.compute().type().name(),
                                String.join("\n", origins)));
    }

    /// @throws PenjingException if sequences are longer than the model's context
    static void requireLength(TrainingSettings settings, ModelConfig config) {
        if (settings.sequenceLength() > config.maxPositionEmbeddings()) {
            throw new PenjingException(
                    "`sequenceLength` %d is more than the model's context of %d: give a shorter one"
                            .formatted(settings.sequenceLength(), config.maxPositionEmbeddings()));
        }
    }

    /// Takes `start` over.
    private static String train(
            TrainingJob job,
            ModelConfig config,
            FlatParameters start,
            Optional<Decoder> teacher,
            Tokenizer tokenizer,
            String fingerprint) {
        try (Closer closer = new Closer()) {
            closer.own(start, FlatParameters::close);
            TrainingSettings settings = job.settings();
            Sequences sequences =
                    new Sequences(
                            job.text().training(), settings.sequenceLength(), settings.seed());
            HeldOut heldOut = HeldOut.of(job.text().heldOut(), window(config), tokenizer, MEASURED);
            closer.keep();
            Trainer trainer =
                    closer.own(
                            new Trainer(
                                    settings,
                                    config,
                                    start,
                                    teacher,
                                    sequences,
                                    Optional.of(heldOut),
                                    job.compute(),
                                    job.hooks()),
                            Trainer::close);
            if (job.hooks().writes()) {
                closer.own(FolderLock.of(job.work()), FolderLock::close);
            }
            trainer.run(job.work(), fingerprint, job.resume(), job.progress());
            if (job.hooks().writes()) {
                trainer.save(job.to(), DType.BF16);
            }
            return trainer.times().describe();
        }
    }
}
