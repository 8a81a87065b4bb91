package dev.penjing.compression.run;

import dev.penjing.compression.importance.Importance;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.repair.RepairReport;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.PenjingException;
import dev.penjing.model.PenjingVersion;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Shape;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import java.util.OptionalLong;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `run.json`, which lies beside every result: what made it, of what, with which settings.
public final class RunRecord {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final ObjectNode json = JSON.createObjectNode();

    private RunRecord(String command) {
        json.put("command", command);
        json.put("finished", Instant.now().toString());
        json.put("java", Runtime.version().toString());
        json.put("penjing", PenjingVersion.version());
        json.put("commit", PenjingVersion.commit());
    }

    /// Of a pruned model: its teacher and the indices kept.
    public static RunRecord prune(String command, Path teacher, Cut cut) {
        RunRecord record = new RunRecord(command);
        record.teacher(teacher);
        ObjectNode kept = record.json.putObject("kept");
        for (Axis axis : Importance.AXES) {
            ArrayNode lists = kept.putArray(axis.parts());
            for (int[] list : cut.lists(axis)) {
                indices(axis.perLayer() ? lists.addArray() : lists, list);
            }
        }
        ModelConfig config = ModelConfig.read(teacher.resolve("config.json"));
        if (cut.cutsVocabulary(config)) {
            indices(kept.putArray(Axis.VOCABULARY.parts()), cut.tokens());
            record.vocabulary(teacher, config, cut);
        }
        return record;
    }

    /// Adds what a repair did.
    public RunRecord repaired(RepairReport report) {
        report.write(json.putObject("repair"));
        return this;
    }

    /// How many tokens were kept, and what the others would take in a student that is cut alike
    /// otherwise.
    private void vocabulary(Path teacher, ModelConfig config, Cut cut) {
        Shape shape = cut.shape();
        int all = config.vocabularySize();
        long saved =
                config.resized(shape.with(Axis.VOCABULARY, all), cut.layers()).parameters()
                        - config.resized(shape, cut.layers()).parameters();
        ObjectNode vocabulary = json.putObject("vocabulary");
        vocabulary.put("tokens", cut.tokens().length);
        vocabulary.put("teacher_tokens", all);
        vocabulary.put("parameters_saved", saved);
        try (Checkpoint checkpoint = Checkpoint.open(teacher)) {
            DType type = checkpoint.tensor(config.tensors().getFirst()).dtype();
            vocabulary.put("bytes_saved", saved * type.bytes());
        }
    }

    private static void indices(ArrayNode array, int[] indices) {
        for (int index : indices) {
            array.add(index);
        }
    }

    /// Of a distilled model: teacher, what it was before, and how it was trained.
    public static RunRecord distill(
            String command, Path teacher, Path student, TrainingSettings settings) {
        RunRecord record = new RunRecord(command);
        record.teacher(teacher);
        record.json.put("student", student.toString());
        record.json.put("student_sha256", ModelFiles.sha256OfModel(student));
        record.training(settings);
        return record;
    }

    /// Of a model trained from random weights.
    public static RunRecord pretrain(String command, String dataHash, TrainingSettings settings) {
        RunRecord record = new RunRecord(command);
        record.json.put("data_sha256", dataHash);
        record.training(settings);
        return record;
    }

    private void teacher(Path teacher) {
        json.put("teacher", teacher.toString());
        json.put("teacher_sha256", ModelFiles.sha256OfModel(teacher));
    }

    private void training(TrainingSettings settings) {
        ObjectNode training = json.putObject("training");
        training.put("objective", settings.objective().key());
        training.put("tokens", settings.steps() * settings.tokensPerStep());
        training.put("steps", settings.steps());
        training.put("learning_rate", settings.learningRate());
        training.put("min_learning_rate", settings.minLearningRate());
        training.put("warmup_steps", settings.warmupSteps());
        training.put("global_batch_size", settings.globalBatchSize());
        training.put("micro_batch_size", settings.microBatchSize());
        training.put("sequence_length", settings.sequenceLength());
        training.put("seed", settings.seed());
        training.put("weight_decay", settings.weightDecay());
        training.put("clip", settings.clip());
        settings.quantization()
                .ifPresent(
                        type -> training.put("quantization", type.name().toLowerCase(Locale.ROOT)));
    }

    /// Adds a figure of its own to the record.
    public RunRecord with(String key, double value) {
        json.put(key, value);
        return this;
    }

    public void write(Path directory) {
        AtomicFile.write(directory.resolve("run.json"), json.toPrettyString() + "\n");
    }

    /// The tokens that a model was trained on, where its own `run.json` says.
    static OptionalLong trainingTokens(Path model) {
        Path file = model.resolve("run.json");
        if (!Files.exists(file)) {
            return OptionalLong.empty();
        }
        try {
            long tokens =
                    JSON.readTree(Files.readString(file)).path("training").path("tokens").asLong(0);
            return tokens > 0 ? OptionalLong.of(tokens) : OptionalLong.empty();
        } catch (IOException | JacksonException e) {
            throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
