package dev.penjing.model.architecture;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.files.JsonText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What decides a decoder's computation: Hugging Face's `config.json` as switches, whatever the
/// family is called.
///
/// @param shape sizes along every axis; heads times head dimension need not be the hidden size
/// @param biases the biases that there are: those of attention's projections
/// @param maxPositionEmbeddings of the contexts that are computed
/// @param attention of each layer
/// @param rest the file as it was read; what does not concern the computation survives in it
public record ModelConfig(
        Family family,
        Shape shape,
        int maxPositionEmbeddings,
        Norm norm,
        Mlp mlp,
        List<LayerAttention> attention,
        Multipliers multipliers,
        boolean tieWordEmbeddings,
        Set<Role> biases,
        ObjectNode rest) {
    private static final long LARGEST = 16L << 20;

    /// @throws PenjingException if the file cannot be read or asks for a computation that is not
    ///   known here
    public static ModelConfig read(Path file) {
        try {
            if (Files.size(file) > LARGEST) {
                throw new PenjingException(file + " is too large to be a configuration");
            }
            return parse(Files.readString(file), file.toString());
        } catch (IOException e) {
            throw new PenjingException(
                    "cannot read " + file + ": is this a model in Hugging Face form?", e);
        }
    }

    /// @param where what errors call it
    public static ModelConfig parse(String json, String where) {
        try {
            if (JsonText.parse(json) instanceof ObjectNode object) {
                return ConfigKeys.read(object, where);
            }
        } catch (JacksonException e) {
            throw new PenjingException(where + " is not JSON: " + JsonText.reason(e), e);
        }
        throw new PenjingException(where + " is not a JSON object");
    }

    /// The `model_type`.
    public String modelType() {
        return family.name();
    }

    public int vocabularySize() {
        return shape.get(Axis.VOCABULARY);
    }

    public int hiddenSize() {
        return shape.get(Axis.HIDDEN);
    }

    public int intermediateSize() {
        return shape.get(Axis.NEURON);
    }

    public int numHiddenLayers() {
        return shape.get(Axis.LAYER);
    }

    public int numAttentionHeads() {
        return shape.get(Axis.QUERY_HEAD);
    }

    public int numKeyValueHeads() {
        return shape.get(Axis.KEY_VALUE_HEAD);
    }

    public int headDim() {
        return shape.get(Axis.HEAD_DIM);
    }

    /// Rotary positions, of a layer that has them and sees all positions where there is one.
    public Rope rope() {
        return attention.stream()
                .filter(a -> a.window().isEmpty() && a.rope().fraction() > 0)
                .findFirst()
                .orElse(attention.getFirst())
                .rope();
    }

    /// How many positions attention sees in the layers that do not see all.
    public OptionalInt slidingWindow() {
        return attention.stream()
                .map(LayerAttention::window)
                .filter(OptionalInt::isPresent)
                .findFirst()
                .orElse(OptionalInt.empty());
    }

    /// The same model in another shape, its layers the first ones of these.
    public ModelConfig resized(Shape sizes) {
        return resized(sizes, IntStream.range(0, sizes.get(Axis.LAYER)).toArray());
    }

    /// The same model in another shape.
    ///
    /// @param layers which of these layers its layers are, in order
    /// @throws PenjingException if transformers takes no such shape of its family
    public ModelConfig resized(Shape sizes, int[] layers) {
        ObjectNode json = json();
        Family.keepLayers(json, numHiddenLayers(), layers);
        sizes.sizes().forEach((axis, size) -> json.put(axis.key(), size));
        return family.resized(ConfigKeys.read(json, "the student's configuration"));
    }

    /// The same with other ids for the tokens that it names.
    ///
    /// @param ids from old to new, negative for tokens that are no more
    public ModelConfig withTokens(IntUnaryOperator ids) {
        ObjectNode json = json();
        NamedTokens.change(json, ids);
        return ConfigKeys.read(json, "the student's configuration");
    }

    /// As transformers 4 and 5 both read it, `torch_dtype` beside `dtype`. The head dimension is
    /// always said, and so is whatever differs from layer to layer.
    public String toJson() {
        return json().toPrettyString() + "\n";
    }

    private ObjectNode json() {
        ObjectNode json = rest.deepCopy();
        json.put("model_type", modelType());
        shape.sizes().forEach((axis, size) -> json.put(axis.key(), size));
        json.put("tie_word_embeddings", tieWordEmbeddings);
        family.write(this, json);
        JsonNode type = json.has("dtype") ? json.get("dtype") : json.path("torch_dtype");
        if (type.isString()) {
            json.set("dtype", type);
            json.set("torch_dtype", type);
        }
        return json;
    }

    /// Writes `config.json`.
    public void write(Path file) {
        AtomicFile.write(file, toJson());
    }

    /// The configuration with another `dtype` noted.
    public ModelConfig withDtype(String dtype) {
        ObjectNode json = rest.deepCopy();
        json.put("dtype", dtype);
        json.put("torch_dtype", dtype);
        return ConfigKeys.read(json, "the configuration");
    }

    /// Every tensor of a checkpoint of this model, ordered as Hugging Face does.
    public TensorTable tensors() {
        return new TensorTable(family.tensors(this));
    }

    public long parameters() {
        return tensors().stream().mapToLong(TensorSpec::size).sum();
    }

    /// Everything but the embedding and the head.
    public long nonEmbeddingParameters() {
        return tensors().stream()
                .filter(t -> t.role() != Role.EMBEDDING && t.role() != Role.HEAD)
                .mapToLong(TensorSpec::size)
                .sum();
    }

    /// Keys and values of one position.
    public long kvBytesPerToken(int bytesPerElement) {
        return 2L * bytesPerElement * numHiddenLayers() * numKeyValueHeads() * headDim();
    }
}
