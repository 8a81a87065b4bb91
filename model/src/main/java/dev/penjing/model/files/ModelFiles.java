package dev.penjing.model.files;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// The files that make up a model in Hugging Face form.
public final class ModelFiles {
    /// Beside configuration and weights, what decides a model's answers.
    private static final Set<String> DECIDING =
            Set.of(
                    "config.json",
                    "model.safetensors.index.json",
                    "tokenizer.json",
                    "tokenizer_config.json",
                    "special_tokens_map.json",
                    "generation_config.json",
                    "chat_template.jinja");

    private static final List<String> COMPANIONS =
            List.of(
                    "tokenizer.json",
                    "tokenizer_config.json",
                    "special_tokens_map.json",
                    "generation_config.json",
                    "chat_template.jinja",
                    "tokenizer.model");

    private ModelFiles() {}

    /// The identity of a model: of all that decides its answers, each by its name. Those are
    /// configuration, weights, tokenizer, special tokens, the ids that end an answer, and the chat
    /// template. Of a GGUF file, which holds all of them, the hash of the file.
    ///
    /// @param model a folder in Hugging Face form, or a GGUF file
    /// @throws PenjingException if one of the files cannot be read
    public static String sha256OfModel(Path model) {
        if (Files.isRegularFile(model)) {
            return Hashes.sha256(model);
        }
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(model)) {
            files.filter(ModelFiles::decides)
                    .sorted()
                    .forEach(file ->
                            all.append(file.getFileName())
                                    .append(' ')
                                    .append(Hashes.sha256(file))
                                    .append('\n'));
        } catch (IOException e) {
            throw new PenjingException("cannot read " + model + ": " + e.getMessage(), e);
        }
        return Hashes.sha256(all.toString());
    }

    private static boolean decides(Path file) {
        String name = file.getFileName().toString();
        return DECIDING.contains(name) || name.endsWith(".safetensors");
    }

    /// Copies what belongs to a model beside its configuration and weights: tokenizer, special
    /// tokens, chat template, generation settings.
    ///
    /// @throws PenjingException if one of them can be neither read nor written
    public static void copyCompanions(Path from, Path to) {
        copy(from, to, COMPANIONS);
    }

    /// Copies the files of these names that there are.
    ///
    /// @throws PenjingException if one of them can be neither read nor written
    public static void copy(Path from, Path to, List<String> names) {
        for (String name : names) {
            Path source = from.resolve(name);
            if (Files.exists(source)) {
                try (AtomicFile copy = AtomicFile.create(to.resolve(name))) {
                    Files.copy(source, copy.aside(), StandardCopyOption.REPLACE_EXISTING);
                    copy.commit();
                } catch (IOException e) {
                    throw new PenjingException(
                            "cannot copy %s to %s: %s".formatted(source, to, e.getMessage()), e);
                }
            }
        }
    }
}
