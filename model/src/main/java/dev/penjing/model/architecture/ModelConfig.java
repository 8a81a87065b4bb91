package dev.penjing.model.architecture;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What decides a decoder's computation: Hugging Face's `config.json` as switches, whatever the
/// family is called.
///
/// @param modelType `llama` or `mistral`
/// @param headDim of a head; heads times this need not be the hidden size
/// @param attentionBias whether q, k, v and o have biases
/// @param slidingWindow how many positions attention sees, if not all
/// @param rest the file as it was read; what does not concern the computation survives in it
public record ModelConfig(
        String modelType,
        int vocabularySize,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int numKeyValueHeads,
        int headDim,
        int maxPositionEmbeddings,
        Norm norm,
        double normEpsilon,
        Mlp mlp,
        Rope rope,
        boolean tieWordEmbeddings,
        boolean attentionBias,
        OptionalInt slidingWindow,
        ObjectNode rest) {
    /// How hidden states are normalised.
    public enum Norm {
        RMS
    }

    /// What stands between attention and attention.
    public enum Mlp {
        /// down(silu(gate(x)) * up(x))
        GATED_SILU
    }

    private static final JsonMapper JSON = JsonMapper.builder().build();
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
            if (JSON.readTree(json) instanceof ObjectNode object) {
                return new ConfigReader(object, where).read();
            }
        } catch (JacksonException e) {
            throw new PenjingException(where + " is not JSON: " + e.getOriginalMessage(), e);
        }
        throw new PenjingException(where + " is not a JSON object");
    }

    /// The configuration of the same model in other sizes; the head dimension and all else stay.
    ///
    /// transformers 5 takes no `llama` whose hidden size is not a multiple of its heads, but takes
    /// such a `mistral`, which computes the same where it has no window: the student is called
    /// that.
    public ModelConfig withSizes(int hidden, int intermediate, int heads, int layers) {
        boolean renamed = modelType.equals("llama") && !attentionBias && hidden % heads != 0;
        ObjectNode others = rest.deepCopy();
        if (renamed) {
            others.putArray("architectures").add("MistralForCausalLM");
            others.putNull("sliding_window");
            others.remove(List.of("attention_bias", "mlp_bias", "pretraining_tp"));
        }
        return new ModelConfig(
                renamed ? "mistral" : modelType,
                vocabularySize,
                hidden,
                intermediate,
                layers,
                heads,
                numKeyValueHeads,
                headDim,
                maxPositionEmbeddings,
                norm,
                normEpsilon,
                mlp,
                rope,
                tieWordEmbeddings,
                attentionBias,
                slidingWindow,
                others);
    }

    /// As transformers 4 and 5 both read it: `rope_theta` and `rope_scaling` beside
    /// `rope_parameters`, `torch_dtype` beside `dtype`. The head dimension is always said.
    public String toJson() {
        ObjectNode json = rest.deepCopy();
        json.put("model_type", modelType);
        json.put("vocab_size", vocabularySize);
        json.put("hidden_size", hiddenSize);
        json.put("intermediate_size", intermediateSize);
        json.put("num_hidden_layers", numHiddenLayers);
        json.put("num_attention_heads", numAttentionHeads);
        json.put("num_key_value_heads", numKeyValueHeads);
        json.put("head_dim", headDim);
        json.put("max_position_embeddings", maxPositionEmbeddings);
        json.put("rms_norm_eps", normEpsilon);
        json.put("tie_word_embeddings", tieWordEmbeddings);
        json.put("rope_theta", rope.theta());
        ObjectNode parameters = json.putObject("rope_parameters");
        parameters.put("rope_theta", rope.theta());
        scaling(parameters);
        if (rope.scaling() instanceof Rope.Scaling.None) {
            json.remove("rope_scaling");
        } else {
            scaling(json.putObject("rope_scaling"));
        }
        JsonNode type = json.has("dtype") ? json.get("dtype") : json.path("torch_dtype");
        if (type.isString()) {
            json.set("dtype", type);
            json.set("torch_dtype", type);
        }
        return json.toPrettyString() + "\n";
    }

    private void scaling(ObjectNode json) {
        switch (rope.scaling()) {
            case Rope.Scaling.None n -> json.put("rope_type", "default");
            case Rope.Scaling.Linear linear -> {
                json.put("rope_type", "linear");
                json.put("factor", linear.factor());
            }
            case Rope.Scaling.Llama3 s -> {
                json.put("rope_type", "llama3");
                json.put("factor", s.factor());
                json.put("low_freq_factor", s.lowFreqFactor());
                json.put("high_freq_factor", s.highFreqFactor());
                json.put("original_max_position_embeddings", s.originalMaxPositionEmbeddings());
            }
        }
    }

    /// Writes `config.json`, aside and then into place.
    public void write(Path file) {
        Path aside = file.resolveSibling(file.getFileName() + ".partial");
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(aside, toJson());
            Files.move(
                    aside,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new PenjingException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    /// The configuration with another `dtype` noted.
    public ModelConfig withDtype(String dtype) {
        ObjectNode json = rest.deepCopy();
        json.put("dtype", dtype);
        json.put("torch_dtype", dtype);
        return new ModelConfig(
                modelType,
                vocabularySize,
                hiddenSize,
                intermediateSize,
                numHiddenLayers,
                numAttentionHeads,
                numKeyValueHeads,
                headDim,
                maxPositionEmbeddings,
                norm,
                normEpsilon,
                mlp,
                rope,
                tieWordEmbeddings,
                attentionBias,
                slidingWindow,
                json);
    }

    /// Every tensor of a checkpoint of this model, named and ordered as Hugging Face does.
    public List<TensorSpec> tensors() {
        List<TensorSpec> tensors = new ArrayList<>();
        tensors.add(new TensorSpec("model.embed_tokens.weight", vocabularySize, hiddenSize));
        long queries = (long) numAttentionHeads * headDim;
        long keys = (long) numKeyValueHeads * headDim;
        for (int i = 0; i < numHiddenLayers; i++) {
            String at = "model.layers." + i + ".";
            String self = at + "self_attn.";
            tensors.add(new TensorSpec(at + "input_layernorm.weight", hiddenSize));
            tensors.add(new TensorSpec(self + "q_proj.weight", queries, hiddenSize));
            tensors.add(new TensorSpec(self + "k_proj.weight", keys, hiddenSize));
            tensors.add(new TensorSpec(self + "v_proj.weight", keys, hiddenSize));
            tensors.add(new TensorSpec(self + "o_proj.weight", hiddenSize, queries));
            if (attentionBias) {
                tensors.add(new TensorSpec(self + "q_proj.bias", queries));
                tensors.add(new TensorSpec(self + "k_proj.bias", keys));
                tensors.add(new TensorSpec(self + "v_proj.bias", keys));
                tensors.add(new TensorSpec(self + "o_proj.bias", hiddenSize));
            }
            tensors.add(new TensorSpec(at + "post_attention_layernorm.weight", hiddenSize));
            tensors.add(new TensorSpec(at + "mlp.gate_proj.weight", intermediateSize, hiddenSize));
            tensors.add(new TensorSpec(at + "mlp.up_proj.weight", intermediateSize, hiddenSize));
            tensors.add(new TensorSpec(at + "mlp.down_proj.weight", hiddenSize, intermediateSize));
        }
        tensors.add(new TensorSpec("model.norm.weight", hiddenSize));
        if (!tieWordEmbeddings) {
            tensors.add(new TensorSpec("lm_head.weight", vocabularySize, hiddenSize));
        }
        return tensors;
    }

    public long parameters() {
        return tensors().stream().mapToLong(TensorSpec::size).sum();
    }

    /// Everything but `embed_tokens` and `lm_head`.
    public long nonEmbeddingParameters() {
        return parameters() - (tieWordEmbeddings ? 1L : 2L) * vocabularySize * hiddenSize;
    }

    /// Keys and values of one position.
    public long kvBytesPerToken(int bytesPerElement) {
        return 2L * bytesPerElement * numHiddenLayers * numKeyValueHeads * headDim;
    }
}
