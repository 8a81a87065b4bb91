package dev.penjing.model.architecture;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The model families that are known.
public final class Families {
    private static final List<Family> ALL =
            List.of(
                    new Llama(),
                    new Mistral(),
                    new Qwen2(),
                    new Qwen3(),
                    new Nemotron(),
                    new Gemma3(),
                    new Olmo2(),
                    new SmolLm3(),
                    new Granite(),
                    new Phi3());

    private Families() {}

    /// By `model_type` of a `config.json`.
    static Optional<Family> named(String modelType) {
        return ALL.stream().filter(f -> f.is(modelType)).findFirst();
    }

    /// By `general.architecture` of a GGUF file: the first that is written so.
    public static Optional<Family> ofGguf(String architecture) {
        return ALL.stream().filter(f -> f.gguf().architecture().equals(architecture)).findFirst();
    }

    /// What they are called, for errors.
    public static String names() {
        return ALL.stream().map(Family::name).collect(Collectors.joining(", "));
    }
}
