package dev.penjing.model.architecture;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A model family: what of `config.json` it reads and refuses, its switches, its tensors, and their
/// names in Hugging Face's and in GGUF's form. One class each, listed in [Families].
public abstract class Family {
    /// Its `model_type`.
    public abstract String name();

    /// Whether a `config.json` of this `model_type` is of this family.
    boolean is(String modelType) {
        return name().equals(modelType);
    }

    /// The class of transformers that loads it.
    public abstract String transformersClass();

    /// How GGUF writes it.
    public abstract GgufForm gguf();

    /// How GGUF writes a family.
    ///
    /// @param architecture `general.architecture`, before every key of its own
    /// @param interleaved whether rotary positions turn neighbouring dimensions, so that the rows
    ///   of queries and keys stand in another order than in Hugging Face's form
    /// @param ropeTable whether llama.cpp takes Llama 3's scaling of positions as a tensor
    public record GgufForm(String architecture, boolean interleaved, boolean ropeTable) {}

    /// The switches that a `config.json` sets.
    ///
    /// @throws dev.penjing.model.PenjingException if it asks for what is not known here
    abstract ModelConfig read(ConfigKeys keys);

    /// Writes its switches into a `config.json`, as transformers 4 and 5 both read them.
    abstract void write(ModelConfig config, ObjectNode json);

    /// Every tensor of a checkpoint, in its order.
    abstract List<TensorSpec> tensors(ModelConfig config);

    /// The head that a model whose embeddings are tied does without.
    public abstract TensorSpec head(ModelConfig config);

    /// What the metadata of a GGUF file says of its switches, beside what that of all families
    /// does.
    ///
    /// @return values by their keys, without the architecture that stands before each
    /// @throws dev.penjing.model.PenjingException if GGUF cannot say what the model computes
    public Map<String, Object> ggufKeys(ModelConfig config) {
        return Map.of();
    }

    /// Completes a `config.json` by what a GGUF file says of this family.
    public abstract void fromGguf(ObjectNode json, GgufSource gguf);

    /// A GGUF file, by its own names.
    public interface GgufSource {
        boolean has(String tensor);

        long rows(String tensor);

        /// Of the metadata.
        ///
        /// @param key without the architecture before it
        Optional<Object> value(String key);

        /// A number of the metadata, a float32 as it is written in decimal.
        default Optional<Double> real(String key) {
            return value(key)
                    .filter(Number.class::isInstance)
                    .map(number -> Double.valueOf(number.toString()));
        }
    }

    /// A model of this family that was given another shape, in the form in which transformers takes
    /// it.
    ///
    /// @throws dev.penjing.model.PenjingException if there is none
    ModelConfig resized(ModelConfig config) {
        return config;
    }

    /// Keeps of every list that `config.json` has by layer the entries of some layers.
    static void keepLayers(ObjectNode json, int from, int[] layers) {
        Set<String> lists =
                json.properties().stream()
                        .filter(e -> e.getKey().contains("layer"))
                        .filter(e -> e.getValue() instanceof ArrayNode list && list.size() == from)
                        .map(e -> e.getKey())
                        .collect(Collectors.toSet());
        for (String key : lists) {
            JsonNode all = json.get(key);
            ArrayNode kept = json.putArray(key);
            Arrays.stream(layers).forEach(layer -> kept.add(all.get(layer)));
        }
    }

    @Override
    public final String toString() {
        return name();
    }

    /// No window over positions.
    static OptionalInt everywhere() {
        return OptionalInt.empty();
    }
}
