package dev.penjing.compression.run;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.DocumentMarks;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.generation.TorchModel;
import dev.penjing.compression.importance.Importance;
import dev.penjing.compression.importance.ImportanceFile;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.repair.RepairSettings;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.training.HeldOut;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Shape;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.files.FolderLock;
import dev.penjing.model.files.Folders;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.files.ProcessMemory;
import dev.penjing.model.identity.Arithmetic;
import dev.penjing.model.identity.Fingerprint;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The whole chain in one folder: tokenise, score, prune, distill, measure, report. Each stage
/// leaves its result where the next finds it and is skipped when the result is there and nothing
/// that it depends on has changed, so a run that was stopped goes on where it was.
///
/// | in the folder | what |
/// | --- | --- |
/// | `tokens/` | the text as token ids |
/// | `importance.safetensors` | scores of all parts of the teacher |
/// | `pruned/`, `distilled/` | the student before and after, in Hugging Face form |
/// | `run.json`, `report.html` | the result, for programs and for people |
public final class Compression {
    /// Tokens that are measured before the time is taken.
    private static final long WARM_UP = 8192;

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// @param vocabulary which tokens the student keeps, if not all
    /// @param heldOut text to measure on; without it the end of `data` is kept back
    /// @param samples sequences that importance is scored on
    /// @param scoringLength tokens in each of them
    /// @param repair of what the cut tears, by the same sequences
    /// @param tasks further measurements of a model
    /// @param command as the user gave it, for the record
    public record Request(
            Path teacher,
            Shape shape,
            Optional<VocabularyChoice> vocabulary,
            Corpus data,
            Optional<Corpus> heldOut,
            Path run,
            int samples,
            int scoringLength,
            RepairSettings repair,
            TrainingSettings training,
            Optional<Tasks> tasks,
            String command) {
        /// @throws UsageException if importance would be scored on nothing
        public Request {
            if (samples < 1) {
                throw new UsageException("samples must be at least 1");
            }
        }
    }

    /// Measures a model on tasks.
    public interface Tasks {
        /// A hash of the content that they measure on, and how: the path of a file does not decide
        /// it.
        String key();

        /// Scores by task, in order.
        ///
        /// @param directory of the model, for what stands beside its weights
        /// @param content a hash of what the model was made of, and of what it is measured on
        /// @param arithmetic what computes it
        Map<String, TaskScore> score(
                LanguageModel model,
                Path directory,
                String content,
                Arithmetic arithmetic,
                Progress progress);
    }

    /// @param value from 0 to 1
    /// @param error its standard error
    /// @param chance what guessing scores
    public record TaskScore(double value, double error, double chance) {}

    private final Request request;
    private final Compute compute;
    private final Progress progress;
    private final Consumer<String> say;
    private final Stages stages;
    private final ModelConfig teacherConfig;
    private final String tasksKey;

    private Compression(Request request, Compute compute, Progress progress, Consumer<String> say) {
        this.request = request;
        this.compute = compute;
        this.progress = progress;
        this.say = say;
        this.stages = new Stages(request.run(), compute.arithmetic(), say);
        this.teacherConfig = ModelConfig.read(request.teacher().resolve("config.json"));
        this.tasksKey = request.tasks().map(Tasks::key).orElse("none");
    }

    /// @return the result, as `run.json` holds it
    public static ObjectNode run(
            Request request, Compute compute, Progress progress, Consumer<String> say) {
        Compression compression = new Compression(request, compute, progress, say);
        Cut.requireCuttable(compression.teacherConfig, request.shape());
        TrainingRun.requireLength(request.training(), compression.teacherConfig);
        Tokenizers.requireFits(
                Tokenizers.load(request.teacher()), compression.teacherConfig, request.teacher());
        try (FolderLock lock = FolderLock.of(request.run())) {
            return compression.run();
        }
    }

    private ObjectNode run() {
        long start = System.nanoTime();
        String teacherHash = ModelFiles.sha256OfModel(request.teacher());
        Path importanceFile = request.run().resolve("importance.safetensors");
        Path pruned = request.run().resolve("pruned");
        Path distilled = request.run().resolve("distilled");
        try (Closer closer = new Closer()) {
            TrainingText text =
                    closer.own(text(request.teacher(), teacherHash), TrainingText::close);
            String scoreKey =
                    Fingerprint.of("score", 2)
                            .with("teacher", teacherHash)
                            .with("text", text.hash())
                            .with("samples", request.samples())
                            .with("length", request.scoringLength())
                            .with("seed", request.training().seed())
                            .with("arithmetic", compute.arithmetic().releaseKey())
                            .sha256();
            stages.run(
                    "score", scoreKey, importanceFile, r -> score(text.training(), importanceFile));
            String pruneKey = pruneKey(scoreKey);
            stages.run(
                    "prune",
                    pruneKey,
                    pruned.resolve("run.json"),
                    r -> prune(importanceFile, text.training(), pruned));
            TrainingText own =
                    request.vocabulary().isPresent()
                            ? closer.own(text(pruned, pruneKey), TrainingText::close)
                            : text;
            String distillKey =
                    Fingerprint.of("distill", 3)
                            .with("student", pruneKey)
                            .with("training", request.training().fingerprint())
                            .with("arithmetic", compute.arithmetic().releaseKey())
                            .sha256();
            ObjectNode distillation =
                    stages.run(
                            "distill",
                            distillKey,
                            distilled.resolve("run.json"),
                            r -> r.put("phases", distill(pruned, distilled, own, distillKey)));
            ObjectNode result = JSON.createObjectNode();
            result.put("command", request.command());
            measure("teacher", request.teacher(), teacherHash, text, result);
            measure("pruned", pruned, pruneKey, own, result);
            measure("distilled", distilled, distillKey, own, result);
            finish(result, distillation, teacherHash, start);
            Report.write(request, teacherConfig, importanceFile, work(distillKey), result);
            return result;
        }
    }

    /// The data and the held-out text in the tokens of a model.
    private TrainingText text(Path model, String modelHash) {
        Tokenizer tokenizer = Tokenizers.load(model);
        return TrainingText.of(
                request.data(),
                request.heldOut(),
                tokenizer,
                DocumentMarks.of(TextConventions.ofFolder(model, tokenizer)),
                modelHash,
                request.run().resolve("tokens"),
                progress);
    }

    private String pruneKey(String scoreKey) {
        Fingerprint key =
                Fingerprint.of("prune", 3)
                        .with("importance", scoreKey)
                        .with("repair", request.repair().key());
        request.shape().sizes().forEach((axis, size) -> key.with("size of " + axis.key(), size));
        request.vocabulary().ifPresent(choice -> key.with("vocabulary", choice.key()));
        return key.sha256();
    }

    /// What decides the weights. How often a run is measured and saved is not among it. Where a
    /// distillation keeps its checkpoints: other settings, another folder.
    private Path work(String distillKey) {
        return request.run().resolve("distillation-" + distillKey.substring(0, 12));
    }

    private String distill(Path pruned, Path distilled, TrainingText text, String key) {
        Folders.delete(distilled);
        return TrainingRun.distill(
                request.teacher(),
                pruned,
                TrainingJob.of(request.training(), text, distilled, compute)
                        .work(work(key))
                        .resume(true)
                        .command(request.command())
                        .progress(progress));
    }

    private void score(TokenFile training, Path file) {
        Scoring.run(
                request.teacher(),
                teacherConfig,
                training,
                request.samples(),
                request.scoringLength(),
                request.training().seed(),
                file,
                Memory.ofMachine(),
                compute,
                progress);
    }

    private void prune(Path importanceFile, TokenFile training, Path pruned) {
        Importance importance = ImportanceFile.read(importanceFile, teacherConfig);
        Cut best = Cut.best(teacherConfig, importance, request.shape());
        Cut cut =
                request.vocabulary()
                        .map(v -> v.cut(request.teacher(), teacherConfig, best, say, progress))
                        .orElse(best);
        Folders.delete(pruned);
        Cutting.repair(
                request.teacher(),
                cut,
                new Cutting.Text(
                        training,
                        request.samples(),
                        request.scoringLength(),
                        request.training().seed()),
                request.repair(),
                pruned,
                request.command(),
                compute,
                progress,
                say);
    }

    private void measure(
            String name, Path model, String content, TrainingText text, ObjectNode result) {
        Path file = request.run().resolve("measures").resolve(name + ".json");
        String key =
                Fingerprint.of("measure", 3)
                        .with("model", content)
                        .with("text", text.hash())
                        .with("tasks", tasksKey)
                        .with("arithmetic", compute.arithmetic().key())
                        .sha256();
        stages.run(
                "measure-" + name,
                key,
                file,
                r -> AtomicFile.write(file, measures(model, text.heldOut(), key).toPrettyString()));
        try {
            result.set(name, JSON.readTree(Files.readString(file)));
        } catch (java.io.IOException e) {
            throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private ObjectNode measures(Path directory, TokenFile measured, String key) {
        ObjectNode json = JSON.createObjectNode();
        Arithmetic arithmetic = compute.arithmetic();
        Tokenizer tokenizer = Tokenizers.load(directory);
        try (TorchModel model = TorchModel.load(directory, tokenizer, compute)) {
            ModelConfig config = model.decoder().config();
            json.put("model", directory.toString());
            json.set("arithmetic", arithmetic.toJson());
            json.put("parameters", config.parameters());
            json.put("non_embedding_parameters", config.nonEmbeddingParameters());
            json.put("bytes", 2 * config.parameters());
            int window = TrainingRun.window(teacherConfig);
            HeldOut heldOut = HeldOut.of(measured, window, tokenizer, Long.MAX_VALUE);
            // so that the time is not that of the first use of everything
            HeldOut.of(measured, window, tokenizer, WARM_UP)
                    .measure(model.decoder(), Optional.empty(), Progress.NONE);
            long start = System.nanoTime();
            HeldOut.Measures m = heldOut.measure(model.decoder(), Optional.empty(), progress);
            json.put("tokens_per_s", m.tokens() / ((System.nanoTime() - start) / 1e9));
            JsonText.put(json, "bits_per_byte", m.bitsPerByte());
            json.put("perplexity", m.perplexity());
            ObjectNode tasks = json.putObject("tasks");
            ObjectNode errors = json.putObject("task_errors");
            ObjectNode chance = json.putObject("task_chance");
            request.tasks()
                    .ifPresent(t ->
                            t.score(model, directory, key, arithmetic, progress)
                                    .forEach((name, score) -> {
                                        tasks.put(name, score.value());
                                        errors.put(name, score.error());
                                        chance.put(name, score.chance());
                                    }));
        }
        return json;
    }

    private void finish(
            ObjectNode result, ObjectNode distillation, String teacherHash, long start) {
        if (request.tasks().isPresent()) {
            result.set("chance", result.path("teacher").path("task_chance"));
        }
        long tokens = request.training().steps() * request.training().tokensPerStep();
        double student = result.path("distilled").path("parameters").asDouble();
        double teacher = result.path("teacher").path("parameters").asDouble();
        result.put("tokens", tokens);
        // 6 a parameter and token for forward and backward, 2 for the teacher's forward
        result.put("floating_point_operations", tokens * (6 * student + 2 * teacher));
        RunRecord.trainingTokens(request.teacher())
                .ifPresent(n -> {
                    result.put("teacher_tokens", n);
                    result.put("teacher_floating_point_operations", 6.0 * n * teacher);
                });
        result.put("phases", distillation.path("phases").asString(""));
        result.put("teacher_sha256", teacherHash);
        Arithmetic arithmetic = compute.arithmetic();
        result.put("compute", compute.describe() + "; " + arithmetic.describe());
        result.set("arithmetic", arithmetic.toJson());
        result.put("seconds", (System.nanoTime() - start) / 1e9);
        result.put("peak_rss_bytes", ProcessMemory.peakResidentBytes());
        AtomicFile.write(request.run().resolve("run.json"), result.toPrettyString());
    }
}
