package dev.penjing.server;

import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import dev.penjing.model.safetensors.TensorHeader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Copies of the repository's bundled teacher that differ from it in one thing.
public final class Teachers {
    static final Path BUNDLED = Path.of("..", "teacher");

    private static final String CONFIG = "config.json";

    private Teachers() {}

    /// Says that it can read longer texts. Beyond the teacher's own 256 tokens its answers have a
    /// form, but no sense.
    static void stretched(Path folder, int context) {
        copy(folder);
        change(folder.resolve(CONFIG), config -> config.put("max_position_embeddings", context));
    }

    /// One whose answers nothing ends but their longest length, stretched too: it declares no end,
    /// and the tokens that say it have other names.
    static void endless(Path folder, int context) {
        stretched(folder, context);
        for (String name : List.of(CONFIG, "generation_config.json")) {
            change(folder.resolve(name), config -> config.remove("eos_token_id"));
        }
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            change(folder.resolve(name), config -> config.remove("eos_token"));
        }
        for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
            rewrite(
                    folder.resolve(name),
                    text ->
                            text.replace("<|im_end|>", "<|on|>")
                                    .replace("<|endoftext|>", "<|and|>"));
        }
    }

    /// One whose texts and conversations begin with its BOS token.
    static void beginning(Path folder) {
        copy(folder);
        change(
                folder.resolve("tokenizer_config.json"),
                config -> {
                    String template = config.path("chat_template").asString();
                    config.put("chat_template", "{{ bos_token }}" + template);
                });
        change(
                folder.resolve("tokenizer.json"),
                tokenizer -> {
                    ObjectNode processor = tokenizer.putObject("post_processor");
                    ArrayNode single =
                            processor.put("type", "TemplateProcessing").putArray("single");
                    single.addObject().putObject("SpecialToken").put("id", "<|endoftext|>");
                    single.addObject().putObject("Sequence").put("id", "A");
                });
    }

    /// Its first layers alone.
    static void shallow(Path folder, int layers) {
        copy(folder);
        change(folder.resolve(CONFIG), config -> config.put("num_hidden_layers", layers));
        rewriteWeights(folder, (name, values) -> values);
    }

    /// One whose last norm is so large that the logits are no numbers: it loads, and fails over
    /// every answer.
    public static void broken(Path folder) {
        copy(folder);
        rewriteWeights(
                folder,
                (name, values) -> {
                    if (name.equals("model.norm.weight")) {
                        Arrays.fill(values, 3e38f);
                    }
                    return values;
                });
    }

    /// Writes the tensors that the folder's config names.
    private static void rewriteWeights(Path folder, BiFunction<String, float[], float[]> change) {
        try (Checkpoint teacher = Checkpoint.open(BUNDLED)) {
            List<TensorSpec> kept = ModelConfig.read(folder.resolve(CONFIG)).tensors();
            Files.delete(folder.resolve("model.safetensors"));
            try (SafetensorsWriter writer =
                    new SafetensorsWriter(
                            folder, TensorHeader.of(kept), DType.BF16, Long.MAX_VALUE, Map.of())) {
                for (TensorSpec tensor : kept) {
                    String name = tensor.name();
                    writer.write(name, change.apply(name, teacher.tensor(name).toFloats()));
                }
                writer.finish();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path folder) {
        try (Stream<Path> files = Files.list(BUNDLED)) {
            Files.createDirectories(folder);
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void change(Path file, Consumer<ObjectNode> change) {
        rewrite(
                file,
                text -> {
                    ObjectNode json = (ObjectNode) Wire.JSON.readTree(text);
                    change.accept(json);
                    return json.toString();
                });
    }

    private static void rewrite(Path file, UnaryOperator<String> change) {
        try {
            Files.writeString(file, change.apply(Files.readString(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Deletes a folder and all in it.
    static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
