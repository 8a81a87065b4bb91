package dev.penjing.model.architecture;

/// A dimension of a decoder: tensors have extents along it, and a student may have less of it than
/// its teacher.
public enum Axis {
    VOCABULARY("vocab_size", "tokens", false),
    /// Channels of the residual stream.
    HIDDEN("hidden_size", "channels", false),
    /// What lies between the MLP's matrices, of each layer its own.
    NEURON("intermediate_size", "neurons", true),
    QUERY_HEAD("num_attention_heads", "heads", true),
    KEY_VALUE_HEAD("num_key_value_heads", "key_value_heads", true),
    HEAD_DIM("head_dim", "dimensions", false),
    LAYER("num_hidden_layers", "layers", false);

    private final String key;
    private final String parts;
    private final boolean perLayer;

    Axis(String key, String parts, boolean perLayer) {
        this.key = key;
        this.parts = parts;
        this.perLayer = perLayer;
    }

    /// Its size in Hugging Face's `config.json`.
    public String key() {
        return key;
    }

    /// What stands along it, in the plural, in files and reports.
    public String parts() {
        return parts;
    }

    /// Whether a cut may keep other parts of it in each layer.
    public boolean perLayer() {
        return perLayer;
    }
}
