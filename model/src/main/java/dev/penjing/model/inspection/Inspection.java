package dev.penjing.model.inspection;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.TensorView;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `inspect`: what a checkpoint is, counted from its tensors and checked against its configuration.
public final class Inspection {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Inspection() {}

    /// @param name the model as the user gave it
    public static ObjectNode of(String name, Path directory) {
        ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
        ObjectNode result = JSON.createObjectNode();
        result.put("model", name);
        result.put("architecture", config.modelType());
        result.put("parameters", config.parameters());
        result.put("non_embedding_parameters", config.nonEmbeddingParameters());
        Map<String, Long> byType = new TreeMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            checkpoint.check(config);
            for (TensorSpec tensor : config.tensors()) {
                TensorView view = checkpoint.tensor(tensor);
                byType.merge(view.dtype().toString(), view.data().byteSize(), Long::sum);
            }
        }
        result.put("bytes", byType.values().stream().mapToLong(Long::longValue).sum());
        ObjectNode types = result.putObject("bytes_by_dtype");
        byType.forEach(types::put);
        result.put("kv_bytes_per_token", config.kvBytesPerToken(2));
        // float32 master, gradient and two moments; bfloat16 copy and its gradient
        result.put("training_bytes", 20 * config.parameters());
        result.put("serving_bytes_q4_0", config.parameters() * 9 / 16);
        tokenizer(directory, config, result);
        try {
            result.set("config", JSON.readTree(config.toJson()));
        } catch (JacksonException e) {
            throw new PenjingException("cannot show the configuration: " + e.getMessage(), e);
        }
        return result;
    }

    /// A tokenizer that does not go with the model is what one wants to see here, not an error.
    private static void tokenizer(Path directory, ModelConfig config, ObjectNode result) {
        try {
            Tokenizer tokenizer = Tokenizers.load(directory);
            result.put("tokens", tokenizer.vocabularySize());
            Tokenizers.requireFits(tokenizer, config, directory);
        } catch (PenjingException e) {
            result.put("tokenizer_problem", e.getMessage());
        }
    }

    public static String text(ObjectNode result) {
        JsonNode config = result.path("config");
        StringBuilder text = new StringBuilder();
        line(text, "architecture", result.path("architecture").asString(""));
        line(text, "parameters", count(result, "parameters"));
        line(text, "  not embedding", count(result, "non_embedding_parameters"));
        line(text, "bytes", count(result, "bytes") + " " + result.path("bytes_by_dtype"));
        line(text, "KV cache", count(result, "kv_bytes_per_token") + " bytes a token (16 bit)");
        line(text, "to train", size(result, "training_bytes") + " and activations");
        line(text, "to serve", size(result, "serving_bytes_q4_0") + " in Q4_0, and the KV cache");
        for (String key :
                new String[] {
                    "hidden_size",
                    "intermediate_size",
                    "num_hidden_layers",
                    "num_attention_heads",
                    "num_key_value_heads",
                    "head_dim",
                    "vocab_size",
                    "max_position_embeddings",
                    "tie_word_embeddings"
                }) {
            line(text, key, config.path(key).toString());
        }
        if (result.has("tokens")) {
            line(text, "tokens", count(result, "tokens"));
        }
        if (result.has("tokenizer_problem")) {
            line(text, "tokenizer", result.path("tokenizer_problem").asString(""));
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(String.format(Locale.ROOT, "%-24s %s%n", name, value));
    }

    private static String count(ObjectNode result, String key) {
        return String.format(Locale.ROOT, "%,d", result.path(key).asLong());
    }

    private static String size(ObjectNode result, String key) {
        return String.format(Locale.ROOT, "%.2f GB", result.path(key).asDouble() / 1e9);
    }
}
