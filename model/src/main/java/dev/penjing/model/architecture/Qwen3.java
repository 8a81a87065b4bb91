package dev.penjing.model.architecture;

/// Qwen 3 (Yang et al. 2025): a Llama that normalises the queries and keys of each head, and whose
/// head dimension does not follow from its hidden size. Windows over positions, which its published
/// models leave off, are refused.
final class Qwen3 extends Llama {
    @Override
    public String name() {
        return "qwen3";
    }

    @Override
    public String transformersClass() {
        return "Qwen3ForCausalLM";
    }

    @Override
    public GgufForm gguf() {
        return new GgufForm("qwen3", false, false);
    }

    @Override
    Shape shape(ConfigKeys keys) {
        return keys.shape(128);
    }

    @Override
    void layer(LayerTensors layer) {
        layer.normBeforeAttention();
        layer.attention();
        layer.headNorms();
        layer.normBeforeMlp("post_attention_layernorm");
        layer.mlp();
    }

    @Override
    ModelConfig resized(ModelConfig config) {
        return config;
    }
}
