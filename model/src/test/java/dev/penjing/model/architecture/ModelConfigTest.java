package dev.penjing.model.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelConfigTest {
    private static String json(String more) {
        return """
        {"model_type": "llama", "vocab_size": 128256, "hidden_size": 3072,
         "intermediate_size": 9216, "num_hidden_layers": 32, "num_attention_heads": 32,
         "num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 131072,
         "rms_norm_eps": 1e-05, "tie_word_embeddings": false, "bos_token_id": 128000,
         "my_note": {"kept": true} %s}
        """
                .formatted(more);
    }

    private static final String SCALING =
            "\"factor\": 8.0, \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0,"
                    + " \"original_max_position_embeddings\": 8192, \"rope_type\": \"llama3\"";

    @Test
    void bothSpellingsSayTheSame() {
        ModelConfig four =
                ModelConfig.parse(
                        json(
                                ", \"rope_theta\": 500000.0, \"rope_scaling\": {"
                                        + SCALING
                                        + "}, \"torch_dtype\": \"bfloat16\""),
                        "4");
        ModelConfig five =
                ModelConfig.parse(
                        json(
                                ", \"rope_parameters\": {\"rope_theta\": 500000.0, "
                                        + SCALING
                                        + "}, \"dtype\": \"bfloat16\""),
                        "5");
        assertThat(four.rope()).isEqualTo(five.rope());
        assertThat(four.rope())
                .isEqualTo(new Rope(500_000, new Rope.Scaling.Llama3(8, 1, 4, 8192)));
        for (ModelConfig config : new ModelConfig[] {four, five}) {
            ModelConfig again = ModelConfig.parse(config.toJson(), "again");
            assertThat(again.rope()).isEqualTo(config.rope());
            assertThat(again.rest().path("my_note").path("kept").asBoolean()).isTrue();
            assertThat(again.rest().path("bos_token_id").asInt()).isEqualTo(128000);
            assertThat(again.rest().path("dtype").asString()).isEqualTo("bfloat16");
            assertThat(again.rest().path("torch_dtype").asString()).isEqualTo("bfloat16");
            assertThat(again.rest().path("rope_theta").asDouble()).isEqualTo(500_000);
        }
    }

    /// Llama-3.1-Minitron-4B-Width, whose counts are known.
    @Test
    void countsParameters() {
        ModelConfig config = ModelConfig.parse(json(""), "test");
        assertThat(config.parameters()).isEqualTo(4_512_746_496L);
        assertThat(config.kvBytesPerToken(2)).isEqualTo(2L * 2 * 32 * 8 * 128);
        assertThat(config.parameters() - config.nonEmbeddingParameters())
                .isEqualTo(2L * 128256 * 3072);
        ModelConfig tied =
                ModelConfig.parse(
                        json("").replace(
                                        "\"tie_word_embeddings\": false",
                                        "\"tie_word_embeddings\": true"),
                        "test");
        assertThat(config.parameters() - tied.parameters()).isEqualTo(128256L * 3072);
        assertThat(tied.nonEmbeddingParameters()).isEqualTo(config.nonEmbeddingParameters());
    }

    /// What Python's json and transformers take, in values that decide nothing.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\uFEFF | 9216 | 9216",
                "`` | 9216 | 9216.0",
                "`` | `{'kept': true}` | `{'kept': NaN, 'more': [Infinity, -Infinity]}`",
                "`` | 'bos_token_id' | 'hidden_act': 'swish', 'bos_token_id'",
            })
    void otherSpellingsSayTheSame(String before, String part, String other) {
        String json = json("").replace(part.replace('\'', '"'), other.replace('\'', '"'));
        ModelConfig config = ModelConfig.parse((before == null ? "" : before) + json, "test");
        assertThat(config.shape()).isEqualTo(ModelConfig.parse(json(""), "test").shape());
    }

    @Test
    void whatIsNoWholeNumberIsNamed() {
        for (String value : new String[] {"9216.5", "\"many\"", "NaN", "[1]"}) {
            assertThatThrownBy(() -> ModelConfig.parse(json("").replace("9216", value), "test"))
                    .hasMessageContaining("intermediate_size is")
                    .hasMessageContaining("not a whole number");
        }
        assertThatThrownBy(() -> ModelConfig.parse(json("").replace("9216", "null"), "test"))
                .hasMessageContaining("it has no intermediate_size");
    }

    private static ModelConfig resized(int hidden, int neurons, int heads) {
        ModelConfig config = ModelConfig.parse(json(""), "test");
        return config.resized(
                config.shape()
                        .with(Axis.HIDDEN, hidden)
                        .with(Axis.NEURON, neurons)
                        .with(Axis.QUERY_HEAD, heads));
    }

    @Test
    void otherSizesKeepTheHeadDimension() {
        ModelConfig odd = resized(2050, 6144, 24);
        assertThat(odd.modelType()).isEqualTo("mistral");
        assertThat(odd.slidingWindow()).isEmpty();
        assertThat(odd.toJson()).contains("MistralForCausalLM");
        assertThat(ModelConfig.parse(odd.toJson(), "test").toJson()).isEqualTo(odd.toJson());
        ModelConfig cut = resized(2048, 6144, 24);
        ModelConfig again = ModelConfig.parse(cut.toJson(), "again");
        assertThat(again.headDim()).isEqualTo(128);
        assertThat(again.hiddenSize()).isEqualTo(2048);
        assertThat(again.tensors())
                .anySatisfy(t -> {
                    assertThat(t.name()).isEqualTo("model.layers.31.self_attn.q_proj.weight");
                    assertThat(t.shape()).containsExactly(24 * 128, 2048);
                });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'hidden_act': 'gelu' | hidden_act",
                "'mlp_bias': true | mlp_bias",
                "'num_local_experts': 8 | num_local_experts",
                "'final_logit_softcapping': 30.0 | final_logit_softcapping",
                "'logits_scaling': 8.0 | logits_scaling",
                "'partial_rotary_factor': 0.5 | partial_rotary_factor",
                "'quantization_config': {'bits': 4} | quantization_config",
                "'layer_types': ['sliding_attention'] | layer_types",
                "'rope_scaling': {'rope_type': 'yarn', 'factor': 2} | yarn",
                "'rope_scaling': {'rope_type': 'linear'} | factor",
                "'vocab_size': -3 | vocab_size",
                "'num_hidden_layers': 2000000000 | num_hidden_layers",
                "'num_attention_heads': 31 | num_attention_heads",
                "'head_dim': 7 | head_dim",
                "'model_type': 'gemma' | gemma",
                "'model_type': 'qwen3_moe', 'num_experts': 128 | experts",
                "'model_type': 'mixtral' | with experts",
                "'model_type': 'nemotron_h', 'mamba_num_heads': 8 | with state-space layers",
                "'vision_config': {} | vision tower (vision_config)",
            })
    void whatChangesTheComputationIsRefusedByName(String entry, String named) {
        String more = ", " + entry.replace('\'', '"');
        assertThatThrownBy(() -> ModelConfig.parse(json(more), "config.json"))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining(named)
                .hasMessageNotContaining("\n");
    }

    @Test
    void neutralValuesArePassedOver() {
        ModelConfig.parse(
                json(", \"hidden_act\": \"silu\", \"mlp_bias\": false, \"logits_scaling\": 1.0"),
                "test");
    }
}
