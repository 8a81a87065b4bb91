package dev.penjing.bench;

/// Another engine, asked the same.
sealed interface Rival permits LlamaPython, LlamaPrograms {
    String name();

    /// Tokens/s.
    double prompt(int tokens) throws Exception;

    /// Tokens/s of all sequences together.
    double answers(int sequences, int tokens) throws Exception;
}
