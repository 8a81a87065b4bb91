package dev.penjing.model.architecture;

import java.util.Arrays;
import java.util.List;
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

    /// Every tensor of a checkpoint, in its order.
    abstract List<TensorSpec> tensors(ModelConfig config);

    /// The head that a model whose embeddings are tied does without.
    public abstract TensorSpec head(ModelConfig config);

    /// What the tensors of a GGUF file, and not its metadata, tell of a `config.json`.
    public abstract void fromGguf(ObjectNode json, GgufTensors tensors);

    /// The tensors of a GGUF file, by its own names.
    public interface GgufTensors {
        boolean has(String name);

        long rows(String name);
    }

    /// A model of this family in another shape, in the form in which transformers takes it.
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
