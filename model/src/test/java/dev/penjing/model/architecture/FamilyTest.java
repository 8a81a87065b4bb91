package dev.penjing.model.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every family lists its tensors, and the list says all there is to know of each.
class FamilyTest {
    private static ModelConfig config(String type, String more) {
        return ModelConfig.parse(
                """
                {"model_type": "%s", "vocab_size": 90, "hidden_size": 48,
                 "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 6,
                 "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 128,
                 "rms_norm_eps": 1e-5 %s}
                """
                        .formatted(type, more),
                "test");
    }

    private static Set<String> layerNames(ModelConfig config) {
        return config.tensors().stream()
                .filter(t -> t.layer().equals(java.util.OptionalInt.of(1)))
                .map(TensorSpec::name)
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama",
                "mistral",
                "qwen2",
                "qwen3",
                "nemotron",
                "gemma3_text",
                "olmo2",
                "smollm3",
                "granite",
                "phi3"
            })
    void shapesFollowFromAxes(String type) {
        ModelConfig config = config(type, "");
        for (TensorSpec tensor : config.tensors()) {
            assertThat(tensor.shape()[0]).isEqualTo(config.shape().extent(tensor.rows()));
            assertThat(tensor.matrix()).isEqualTo(tensor.shape().length == 2);
            if (tensor.matrix()) {
                assertThat(tensor.shape()[1]).isEqualTo(config.shape().extent(tensor.columns()));
            }
        }
        assertThat(config.tensors().of(Role.EMBEDDING).shape()).containsExactly(90, 48);
        assertThat(config.tensors().in(2, Role.OUTPUT).shape()).containsExactly(48, 96);
        assertThat(config.tensors().in(2, Role.KEY).rows())
                .containsExactly(Axis.KEY_VALUE_HEAD, Axis.HEAD_DIM);
        assertThatThrownBy(() -> config.tensors().in(3, Role.OUTPUT))
                .hasMessageContaining("layer 3 has no OUTPUT");
    }

    /// What is turned by rotary positions, and what writes to the residual stream, is known of each
    /// tensor and of no other.
    @Test
    void aTensorSaysWhatItMeans() {
        TensorTable tensors = config("llama", ", \"attention_bias\": true").tensors();
        assertThat(tensors.stream().filter(TensorSpec::rotated).map(TensorSpec::role))
                .containsOnly(Role.QUERY, Role.QUERY_BIAS, Role.KEY, Role.KEY_BIAS);
        assertThat(tensors.stream().filter(t -> t.init() == Init.RESIDUAL).map(TensorSpec::role))
                .containsOnly(Role.OUTPUT, Role.DOWN);
        assertThat(tensors.in(1, Role.DOWN).ggufName()).isEqualTo("blk.1.ffn_down.weight");
        assertThat(tensors.in(1, Role.VALUE_BIAS).ggufName()).isEqualTo("blk.1.attn_v.bias");
    }

    /// Qwen 2 has biases on queries, keys and values whatever its file says, and none on the
    /// output.
    @Test
    void qwenHasThreeBiases() {
        ModelConfig config = config("qwen2", ", \"use_sliding_window\": false");
        assertThat(layerNames(config))
                .contains(
                        "model.layers.1.self_attn.q_proj.bias",
                        "model.layers.1.self_attn.k_proj.bias",
                        "model.layers.1.self_attn.v_proj.bias")
                .doesNotContain("model.layers.1.self_attn.o_proj.bias")
                .hasSize(12);
        assertThat(ModelConfig.parse(config.toJson(), "again").toJson()).isEqualTo(config.toJson());
        assertThatThrownBy(() ->
                        config("qwen2", ", \"use_sliding_window\": true, \"sliding_window\": 8"))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("use_sliding_window");
        // transformers reads no such key of this family
        assertThat(layerNames(config("qwen2", ", \"attention_bias\": true"))).hasSize(12);
        // nor does transformers read it in this family
        assertThat(layerNames(config("mistral", ", \"attention_bias\": true"))).hasSize(9);
    }

    /// Norms of queries and keys of one head, whatever the hidden size; 128 where nothing is said.
    @Test
    void qwen3NormalisesHeads() {
        ModelConfig config = config("qwen3", "");
        assertThat(config.tensors().in(1, Role.QUERY_NORM).shape()).containsExactly(16);
        assertThat(config.tensors().in(1, Role.KEY_NORM).ggufName())
                .isEqualTo("blk.1.attn_k_norm.weight");
        assertThat(config("qwen3", ", \"head_dim\": null").headDim()).isEqualTo(128);
        assertThatThrownBy(() -> config("qwen3", ", \"use_sliding_window\": true"))
                .hasMessageContaining("use_sliding_window");
    }

    /// Nemotron-Mini-4B-Instruct's own numbers: 4.19 billion parameters.
    @Test
    void nemotronMiniIsCounted() {
        ModelConfig config =
                ModelConfig.parse(
                        """
                        {"model_type": "nemotron", "hidden_act": "relu2", "hidden_size": 3072,
                         "intermediate_size": 9216, "max_position_embeddings": 4096,
                         "norm_eps": 1e-05, "num_attention_heads": 24, "head_dim": 128,
                         "num_hidden_layers": 32, "num_key_value_heads": 8,
                         "partial_rotary_factor": 0.5, "rope_theta": 10000.0,
                         "tie_word_embeddings": false, "vocab_size": 256000}
                        """,
                        "test");
        long layer = 3072L * (3072 + 2 * 1024) + 3072L * 3072 + 2 * 3072L * 9216 + 4 * 3072L;
        assertThat(config.parameters()).isEqualTo(32 * layer + 2 * 256_000L * 3072 + 2 * 3072L);
        assertThat(config.rope().frequencies(128)).hasSize(32);
        assertThat(config.tensors().find(0, Role.GATE)).isEmpty();
        assertThat(config.tensors().in(0, Role.MLP_NORM_BIAS).ggufName())
                .isEqualTo("blk.0.ffn_norm.bias");
    }

    /// Gemma 3 270M's own numbers: five layers of six slide; and what transformers takes.
    @Test
    void gemmaAlternates() {
        ModelConfig config =
                ModelConfig.parse(
                        """
                        {"model_type": "gemma3_text", "head_dim": 256, "hidden_size": 640,
                         "hidden_activation": "gelu_pytorch_tanh", "intermediate_size": 2048,
                         "max_position_embeddings": 32768, "num_attention_heads": 4,
                         "num_hidden_layers": 18, "num_key_value_heads": 1,
                         "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06,
                         "rope_local_base_freq": 10000.0, "rope_theta": 1000000.0,
                         "sliding_window": 512, "vocab_size": 262144}
                        """,
                        "test");
        assertThat(config.parameters()).isEqualTo(268_098_176L);
        assertThat(config.attention().get(4).window()).hasValue(512);
        assertThat(config.attention().get(4).rope().theta()).isEqualTo(10_000);
        assertThat(config.attention().get(5).window()).isEmpty();
        assertThat(config.attention().get(5).rope().theta()).isEqualTo(1_000_000);
        // the embedding's constant follows the student's hidden size, as it does in transformers
        ModelConfig student = config.resized(config.shape().with(Axis.HIDDEN, 400));
        assertThat(student.multipliers().embedding()).isEqualTo(20);
        assertThatThrownBy(() -> config.resized(config.shape().with(Axis.HIDDEN, 402)))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("such as 404 channels");
        assertThatThrownBy(() -> config("gemma3", ", \"vision_config\": {}"))
                .hasMessageContaining("vision tower");
        assertThatThrownBy(() -> config("gemma3_text", ", \"final_logit_softcapping\": 30.0"))
                .hasMessageContaining("final_logit_softcapping");
        assertThatThrownBy(() -> config("gemma3_text", "").family().ggufKeys(config("gemma3", "")))
                .hasMessageContaining("query_pre_attn_scalar");
    }

    /// A student's layers keep what they had; GGUF knows one pattern only.
    @Test
    void smolLmLayersKeepTheirPositions() {
        ModelConfig config = config("smollm3", ", \"num_hidden_layers\": 8");
        assertThat(config.attention().stream().map(a -> a.rope().fraction()))
                .containsExactly(1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0);
        assertThat(config.family().ggufKeys(config)).isEmpty();
        ModelConfig cut = config.resized(config.shape().with(Axis.LAYER, 3), new int[] {0, 3, 5});
        assertThat(cut.rest().path("no_rope_layers").toString()).isEqualTo("[1,0,1]");
        assertThatThrownBy(() -> cut.family().ggufKeys(cut))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("layer 1 of a smollm3 has no rotary positions");
        assertThatThrownBy(() -> config("smollm3", ", \"no_rope_layers\": [1, 0]"))
                .hasMessageContaining("no_rope_layers has fewer entries");
    }

    /// Phi-4-mini-instruct's kind: what is stored as one, and the context that is computed.
    @Test
    void phiStoresSeveralAsOne() {
        ModelConfig config =
                config(
                        "phi3",
                        """
                        , "max_position_embeddings": 131072, "partial_rotary_factor": 0.75,
                        "original_max_position_embeddings": 4096, "rope_scaling":
                        {"type": "longrope", "short_factor": [1, 1, 1, 1, 1, 1],
                        "long_factor": [1, 1.1, 1.2, 1.3, 1.4, 1.5]}
                        """);
        TensorSpec key = config.tensors().in(1, Role.KEY);
        assertThat(key.stored()).isEqualTo("model.layers.1.self_attn.qkv_proj.weight");
        assertThat(key.storedShape()).containsExactly(96 + 2 * 32, 48);
        assertThat(key.part().orElseThrow().from()).isEqualTo(96);
        assertThat(key.first() || key.last()).isFalse();
        assertThat(config.tensors().in(1, Role.UP).ggufStored()).isEqualTo("blk.1.ffn_up.weight");
        assertThat(config.tensors().in(1, Role.UP).last()).isTrue();
        assertThat(config.maxPositionEmbeddings()).isEqualTo(4096);
        assertThat(config.toJson()).contains("131072");
        // sqrt(1 + ln(32) / ln(4096))
        assertThat(config.rope().magnitude())
                .isCloseTo(1.190238, org.assertj.core.api.Assertions.within(1e-6));
        assertThatThrownBy(() -> config("phi3", ", \"rope_scaling\": {\"type\": \"longrope\"}"))
                .isInstanceOf(PenjingException.class);
    }

    /// A key that one family reads changes the computation of another that does not know it.
    @Test
    void aKeyIsOneFamilysAffairAndAnothersError() {
        assertThat(config("mistral", ", \"sliding_window\": 5").slidingWindow()).hasValue(5);
        assertThatThrownBy(() -> config("llama", ", \"use_sliding_window\": true"))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("use_sliding_window");
    }

    /// Lists by layer keep the entries of the layers that stay.
    @Test
    void listsByLayerAreCutWithTheLayers() {
        ModelConfig config =
                config(
                        "qwen2",
                        """
                        , "layer_types": ["full_attention", "full_attention", "full_attention"],
                        "my_layer_notes": ["a", "b", "c"], "numbers": [1, 2, 3]
                        """);
        ModelConfig cut = config.resized(config.shape().with(Axis.LAYER, 2), new int[] {0, 2});
        assertThat(cut.numHiddenLayers()).isEqualTo(2);
        assertThat(cut.rest().path("layer_types")).hasSize(2);
        assertThat(cut.rest().path("my_layer_notes").toString()).isEqualTo("[\"a\",\"c\"]");
        assertThat(cut.rest().path("numbers")).hasSize(3);
    }

    @Test
    void aShapeHasEveryAxis() {
        Shape shape = config("llama", "").shape();
        assertThat(shape.extent(List.of())).isEqualTo(1);
        assertThat(shape.extent(List.of(Axis.QUERY_HEAD, Axis.HEAD_DIM))).isEqualTo(96);
        assertThatThrownBy(() -> new Shape(java.util.Map.of(Axis.HIDDEN, 3)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
