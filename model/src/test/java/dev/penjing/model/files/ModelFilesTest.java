package dev.penjing.model.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFilesTest {
    @TempDir Path folder;

    @BeforeEach
    void aModel() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        Files.writeString(folder.resolve("model.safetensors"), "weights");
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "config.json",
                "model.safetensors",
                "model-00002-of-00002.safetensors",
                "model.safetensors.index.json",
                "tokenizer.json",
                "tokenizer_config.json",
                "special_tokens_map.json",
                "generation_config.json",
                "chat_template.jinja"
            })
    void whateverDecidesAnswersChangesTheHash(String name) throws IOException {
        String before = ModelFiles.sha256OfModel(folder);
        Files.writeString(folder.resolve(name), "one");
        String one = ModelFiles.sha256OfModel(folder);
        Files.writeString(folder.resolve(name), "two");
        assertThat(ModelFiles.sha256OfModel(folder)).isNotEqualTo(one);
        assertThat(one).isNotEqualTo(before);
    }

    @Test
    void whatDecidesNothingDoesNot() throws IOException {
        String before = ModelFiles.sha256OfModel(folder);
        Files.writeString(folder.resolve("README.md"), "read me");
        Files.writeString(folder.resolve("run.json"), "{}");
        assertThat(ModelFiles.sha256OfModel(folder)).isEqualTo(before);
    }

    @Test
    void aGgufFileIsHashedWhole() throws IOException {
        Path file = folder.resolve("a.gguf");
        Files.writeString(file, "abc");
        assertThat(ModelFiles.sha256OfModel(file))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
                .isEqualTo(Hashes.sha256("abc"));
    }

    @Test
    void companionsAreCopiedAndNothingIsLeftAside() throws IOException {
        Path to = folder.resolve("to");
        Files.createDirectory(to);
        Files.writeString(folder.resolve("generation_config.json"), "new");
        Files.writeString(to.resolve("generation_config.json"), "old");
        ModelFiles.copyCompanions(folder, to);
        assertThat(to.resolve("tokenizer.json")).hasContent("{}");
        assertThat(to.resolve("generation_config.json")).hasContent("new");
        assertThat(to).isDirectoryNotContaining("glob:**.partial");
        assertThat(to.resolve("config.json")).doesNotExist();
    }

    @Test
    void aFolderIsRemovedWithAllInItButNotWhatLinksPointTo() throws IOException {
        Path tree = Files.createDirectories(folder.resolve("tree/deep"));
        Files.writeString(tree.resolve("file"), "x");
        Files.createSymbolicLink(tree.resolve("link"), folder.resolve("tokenizer.json"));
        Folders.delete(folder.resolve("tree"));
        Folders.delete(folder.resolve("tree"));
        assertThat(folder.resolve("tree")).doesNotExist();
        assertThat(folder.resolve("tokenizer.json")).exists();
    }
}
