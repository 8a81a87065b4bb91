package dev.penjing.model.architecture;

/// OLMo 2 (OLMo team 2024): a Llama that normalises what attention and MLP add to the residual
/// stream instead of what they read, and its queries and keys, of all heads as one.
final class Olmo2 extends Llama {
    @Override
    public String name() {
        return "olmo2";
    }

    @Override
    public String transformersClass() {
        return "Olmo2ForCausalLM";
    }

    @Override
    public GgufForm gguf() {
        return new GgufForm("olmo2", false, false);
    }

    @Override
    Norm norm(ConfigKeys keys) {
        return new Norm.Rms(keys.epsilon("rms_norm_eps", 1e-5), 0);
    }

    @Override
    void layer(LayerTensors layer) {
        layer.attention();
        layer.projectionNorms();
        layer.mlp();
        layer.normsAfter();
    }

    @Override
    ModelConfig resized(ModelConfig config) {
        return config;
    }
}
