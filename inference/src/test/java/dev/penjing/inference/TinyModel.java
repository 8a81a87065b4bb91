package dev.penjing.inference;

import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import dev.penjing.model.safetensors.TensorHeader;
import dev.penjing.model.tokenizer.BpeTrainer;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Small models of random weights, written in Hugging Face form.
public final class TinyModel {
    private TinyModel() {}

    /// @param shape hidden, intermediate, layers, heads, key-value heads, head dim
    static ModelConfig write(Path directory, String more, int... shape) {
        return write(directory, 0, 1, tokenizer(), more, shape);
    }

    /// @param noise that is added to the weights of the model without noise
    /// @param last by which the last norm's weights are multiplied
    private static ModelConfig write(
            Path directory,
            double noise,
            float last,
            Tokenizer tokenizer,
            String more,
            int... shape) {
        Tokenizers.save(tokenizer, directory);
        ModelConfig config =
                ModelConfig.parse(
                        """
                        {"model_type": "llama", "vocab_size": %d, "hidden_size": %d,
                         "intermediate_size": %d, "num_hidden_layers": %d,
                         "num_attention_heads": %d, "num_key_value_heads": %d, "head_dim": %d,
                         "max_position_embeddings": 256, "rms_norm_eps": 1e-5,
                         "pad_token_id": null %s}
                        """
                                .formatted(
                                        tokenizer.vocabularySize() + 3,
                                        shape[0],
                                        shape[1],
                                        shape[2],
                                        shape[3],
                                        shape[4],
                                        shape[5],
                                        more),
                        "test");
        List<TensorSpec> specs = config.tensors();
        try (SafetensorsWriter writer =
                new SafetensorsWriter(
                        directory, TensorHeader.of(specs), DType.F32, 1L << 30, Map.of())) {
            Random random = new Random(3);
            Random other = new Random(4);
            for (TensorSpec spec : specs) {
                float[] values = new float[Math.toIntExact(spec.size())];
                float gain = spec.role().gain() ? 1 - config.norm().plus() : 0;
                double deviation = spec.role().gain() ? 0.1 : 0.2;
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (gain + deviation * random.nextGaussian());
                    values[i] += (float) (noise * other.nextGaussian());
                    values[i] *= spec.role() == Role.FINAL_NORM ? last : 1;
                }
                writer.write(spec, values);
            }
            writer.finish();
        }
        config.write(directory.resolve("config.json"));
        return config;
    }

    public static ModelConfig write(Path directory) {
        return write(directory, ", \"tie_word_embeddings\": true", 64, 96, 2, 4, 2, 16);
    }

    /// The model of [#write(Path)], more or less.
    static void similar(Path directory, double noise) {
        write(
                directory,
                noise,
                1,
                tokenizer(),
                ", \"tie_word_embeddings\": true",
                64,
                96,
                2,
                4,
                2,
                16);
    }

    /// A model whose weights are finite, and none of whose logits is.
    static void overflowing(Path directory) {
        String tied = ", \"tie_word_embeddings\": true";
        write(directory, 0, 2e38f, tokenizer(), tied, 64, 96, 2, 4, 2, 16);
    }

    /// A model whose tokens are others.
    static void foreign(Path directory, int vocabulary) {
        List<String> texts = List.of("quite another text, of quite other words and letters");
        Tokenizer tokenizer =
                BpeTrainer.trainByteLevel(texts, vocabulary, List.of("<|endoftext|>"));
        write(directory, 0, 1, tokenizer, "", 32, 32, 1, 2, 1, 16);
    }

    public static Tokenizer tokenizer() {
        List<String> texts = new ArrayList<>();
        Random random = new Random(1);
        for (int i = 0; i < 300; i++) {
            texts.add("the cat number %d sat on mat %d é 世界 🙂".formatted(i, random.nextInt(99)));
        }
        return BpeTrainer.trainByteLevel(texts, 320, List.of("<|endoftext|>"));
    }
}
