package dev.penjing.model.text;

/// A token that marks a text instead of being part of it, with the names it has in the two kinds of
/// model files.
public enum SpecialToken {
    /// Beginning of sequence.
    BOS("bos", "bos"),
    /// End of sequence.
    EOS("eos", "eos"),
    /// Fills up the shorter texts of a batch.
    PAD("pad", "padding"),
    /// Stands for what the tokenizer cannot write.
    UNK("unk", "unknown");

    private final String huggingFace;
    private final String gguf;

    SpecialToken(String huggingFace, String gguf) {
        this.huggingFace = huggingFace;
        this.gguf = gguf;
    }

    /// The key of its text in `tokenizer_config.json` and its name in chat templates: `bos_token`.
    public String textKey() {
        return huggingFace + "_token";
    }

    /// The key of its id in `config.json` and `generation_config.json`: `bos_token_id`.
    public String idKey() {
        return huggingFace + "_token_id";
    }

    /// The key of its id in GGUF metadata: `tokenizer.ggml.bos_token_id`.
    public String ggufKey() {
        return "tokenizer.ggml." + gguf + "_token_id";
    }
}
