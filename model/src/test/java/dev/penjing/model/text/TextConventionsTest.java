package dev.penjing.model.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import dev.penjing.model.gguf.GgufFile;
import dev.penjing.model.gguf.GgufImport;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextConventionsTest {
    private static final Path TEACHER = Path.of("../teacher");

    @TempDir Path folder;

    /// A tokenizer of the letters a and b, with these special tokens from id 2 on.
    private void tokenizer(String postProcessor, String... special) {
        String added =
                IntStream.range(0, special.length)
                        .mapToObj(i ->
                                "{\"id\": %d, \"content\": \"%s\", \"special\": true}"
                                        .formatted(i + 2, special[i]))
                        .collect(Collectors.joining(", "));
        write(
                "tokenizer.json",
                """
                {"added_tokens": [%s], "pre_tokenizer": null, "post_processor": %s,
                 "model": {"type": "BPE", "unk_token": "a", "vocab": {"a": 0, "b": 1}, "merges": []}}
                """
                        .formatted(added, postProcessor));
    }

    private void write(String name, String text) {
        try {
            Files.writeString(folder.resolve(name), text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private TextConventions conventions() {
        return TextConventions.ofFolder(folder, Tokenizers.load(folder));
    }

    @Test
    void theBundledTeacherClosesDocumentsByItsOwnToken() {
        TextConventions teacher = TextConventions.ofFolder(TEACHER, Tokenizers.load(TEACHER));
        // its EOS only closes a turn; its training data is closed by <|endoftext|>
        assertThat(teacher.id(SpecialToken.EOS)).hasValue(2);
        assertThat(teacher.documentEnd()).hasValue(0);
        assertThat(teacher.endIds()).containsExactly(2, 0);
        assertThat(teacher.declaredEnds()).containsExactly(2);
        assertThat(teacher.id(SpecialToken.BOS)).hasValue(0);
        assertThat(teacher.text(SpecialToken.UNK)).isEmpty();
        assertThat(teacher.addsBos()).isFalse();
        assertThat(teacher.addsEos()).isFalse();
        assertThat(teacher.chatTemplate()).isPresent();
        assertThat(teacher.templateVariables())
                .containsEntry("eos_token", "<|im_end|>")
                .containsEntry("unk_token", "");
    }

    @Test
    void idsThatEndAreANumberOrAList() {
        tokenizer("null", "<s>", "<e>", "<t>");
        assertThat(conventions().endIds()).isEmpty();
        assertThat(conventions().documentEnd()).isEmpty();
        write("config.json", "{\"eos_token_id\": 3}");
        assertThat(conventions().endIds()).containsExactly(3);
        write("generation_config.json", "{\"eos_token_id\": [4, 3], \"bos_token_id\": 2}");
        assertThat(conventions().endIds()).containsExactly(4, 3);
        assertThat(conventions().id(SpecialToken.EOS)).hasValue(4);
        assertThat(conventions().id(SpecialToken.BOS)).hasValue(2);
        assertThat(conventions().documentEnd()).hasValue(4);
        write("tokenizer_config.json", "{\"eos_token\": {\"content\": \"<e>\"}}");
        assertThat(conventions().endIds()).containsExactly(3, 4);
        assertThat(conventions().documentEnd()).hasValue(3);
    }

    @Test
    void specialTokensMapSaysWhatTheTokenizersSettingsLeaveOut() {
        tokenizer("null", "<s>", "<e>", "<t>");
        write("tokenizer_config.json", "{\"eos_token\": \"<e>\", \"bos_token\": null}");
        write("special_tokens_map.json", "{\"eos_token\": \"<t>\", \"bos_token\": \"<s>\"}");
        assertThat(conventions().text(SpecialToken.EOS)).hasValue("<e>");
        assertThat(conventions().text(SpecialToken.BOS)).hasValue("<s>");
    }

    @ParameterizedTest
    @CsvSource({
        "<|im_end|>, <|endoftext|>, <|endoftext|>",
        "<|eot_id|>, <|end_of_text|>, <|end_of_text|>",
        "<|im_end|>, </s>, </s>",
        // the model's own EOS is a document's end: no other name is looked for
        "</s>, <|endoftext|>, </s>",
        "<e>, </s>, <e>"
    })
    void aDocumentIsClosedByEosUnlessThatOnlyClosesATurn(String eos, String other, String closes) {
        tokenizer("null", other, eos);
        write("tokenizer_config.json", "{\"eos_token\": \"" + eos + "\"}");
        OptionalInt id = Tokenizers.load(folder).id(closes);
        assertThat(id).isPresent();
        assertThat(conventions().documentEnd()).isEqualTo(id);
    }

    @Test
    void whatTheChatTemplateWritesOnlyClosesATurn() {
        tokenizer("null", "</s>", "<e>");
        write(
                "tokenizer_config.json",
                "{\"eos_token\": \"<e>\", \"chat_template\": \"{{ messages[0].content }}<e>\"}");
        assertThat(conventions().documentEnd()).hasValue(2);
        assertThat(conventions().endIds()).containsExactly(3, 2);
    }

    @Test
    void thePostProcessorSaysWhatIsPutAround() {
        String both =
                "{\"type\": \"Sequence\", \"processors\": [{\"type\": \"ByteLevel\"}, {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"<s>\"}}, {\"Sequence\": {\"id\": \"A\"}}, {\"SpecialToken\": {\"id\": \"<e>\"}}]}]}";
        tokenizer(both, "<s>", "<e>");
        write("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"eos_token\": \"<e>\"}");
        assertThat(conventions().addsBos()).isTrue();
        assertThat(conventions().addsEos()).isTrue();
        // transformers 5 asks nothing else
        write(
                "tokenizer_config.json",
                "{\"bos_token\": \"<s>\", \"eos_token\": \"<e>\", \"add_bos_token\": false, \"add_eos_token\": false}");
        assertThat(conventions().addsBos()).isTrue();
        assertThat(conventions().addsEos()).isTrue();
        tokenizer(
                "{\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": {\"id\": \"A\"}}]}",
                "<s>",
                "<e>");
        write("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"eos_token\": \"<e>\"}");
        assertThat(conventions().addsBos()).isFalse();
        assertThat(conventions().addsEos()).isFalse();
    }

    /// transformers 5.24 begins the texts of these with no BOS.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"tokenizer_class\": \"LlamaTokenizer\"",
                "\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": true",
                "\"tokenizer_class\": \"PreTrainedTokenizerFast\", \"add_bos_token\": true"
            })
    void withoutAPostProcessorNothingIsPutAround(String settings) {
        tokenizer("null", "<s>", "</s>");
        write("tokenizer_config.json", "{\"bos_token\": \"<s>\", " + settings + "}");
        assertThat(conventions().addsBos()).isFalse();
        assertThat(conventions().addsEos()).isFalse();
    }

    /// What an imported file puts around a text is in its tokenizer.json, where transformers looks.
    @Test
    void aPostProcessorSaysWhatAGgufFileSays() {
        Map<String, Object> metadata = new HashMap<>();
        metadata.put("tokenizer.ggml.tokens", new String[] {"a", "<s>", "<e>"});
        metadata.put("tokenizer.ggml.token_type", new int[] {1, 3, 3});
        metadata.put("tokenizer.ggml.merges", new String[0]);
        metadata.put("tokenizer.ggml.model", "gpt2");
        metadata.put("tokenizer.ggml.bos_token_id", 1);
        metadata.put("tokenizer.ggml.eos_token_id", 2);
        metadata.put("tokenizer.ggml.add_bos_token", true);
        Tokenizer tokenizer = Tokenizers.fromGguf(metadata);
        assertThat(PostProcessor.of(TextConventions.ofGguf(metadata, tokenizer)).toString())
                .isEqualTo(
                        "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":{\"<s>\":{\"id\":\"<s>\",\"ids\":[1],\"tokens\":[\"<s>\"]}}}");
        metadata.put("tokenizer.ggml.add_bos_token", false);
        assertThat(PostProcessor.of(TextConventions.ofGguf(metadata, tokenizer)).isNull()).isTrue();
    }

    @Test
    void aFileThatCannotBeReadIsNamed() {
        tokenizer("null", "<s>");
        write("generation_config.json", "{");
        assertThatThrownBy(this::conventions)
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("generation_config.json");
    }

    @Test
    void aGgufFileSaysItInItsMetadata() {
        Map<String, Object> metadata = new HashMap<>();
        metadata.put("tokenizer.ggml.tokens", new String[] {"a", "<s>", "<e>", "<t>", "<m>"});
        metadata.put("tokenizer.ggml.token_type", new int[] {1, 3, 3, 3, 3});
        metadata.put("tokenizer.ggml.merges", new String[0]);
        metadata.put("tokenizer.ggml.model", "gpt2");
        metadata.put("tokenizer.ggml.bos_token_id", 1);
        metadata.put("tokenizer.ggml.eos_token_id", 2L);
        metadata.put("tokenizer.ggml.eot_token_id", 3);
        metadata.put("tokenizer.ggml.eom_token_id", 4);
        metadata.put("tokenizer.ggml.padding_token_id", 99);
        Tokenizer tokenizer = Tokenizers.fromGguf(metadata);
        TextConventions conventions = TextConventions.ofGguf(metadata, tokenizer);
        assertThat(conventions.endIds()).containsExactly(2, 3, 4);
        assertThat(conventions.text(SpecialToken.BOS)).hasValue("<s>");
        assertThat(conventions.text(SpecialToken.PAD)).isEmpty();
        assertThat(conventions.id(SpecialToken.PAD)).isEmpty();
        assertThat(conventions.addsBos()).isFalse();
        assertThat(conventions.addsEos()).isFalse();
        assertThat(conventions.chatTemplate()).isEmpty();
        metadata.put("tokenizer.ggml.pre", "llama-bpe");
        metadata.put("tokenizer.ggml.add_eos_token", true);
        assertThat(TextConventions.ofGguf(metadata, tokenizer).addsBos()).isTrue();
        assertThat(TextConventions.ofGguf(metadata, tokenizer).addsEos()).isTrue();
        metadata.put("tokenizer.ggml.add_bos_token", false);
        assertThat(TextConventions.ofGguf(metadata, tokenizer).addsBos()).isFalse();
        metadata.remove("tokenizer.ggml.add_bos_token");
        metadata.remove("tokenizer.ggml.pre");
        metadata.put("tokenizer.ggml.model", "llama");
        assertThat(TextConventions.ofGguf(metadata, tokenizer).addsBos()).isTrue();
    }

    private void copyTeacher() throws IOException {
        for (String name :
                List.of(
                        "config.json",
                        "model.safetensors",
                        "tokenizer.json",
                        "tokenizer_config.json",
                        "special_tokens_map.json",
                        "generation_config.json")) {
            Files.copy(TEACHER.resolve(name), folder.resolve(name));
        }
    }

    private static void assertSame(TextConventions actual, TextConventions expected) {
        assertThat(actual.endIds()).hasSameElementsAs(expected.endIds());
        assertThat(actual.documentEnd()).isEqualTo(expected.documentEnd());
        assertThat(actual.templateVariables()).isEqualTo(expected.templateVariables());
        assertThat(actual.addsBos()).isEqualTo(expected.addsBos());
        assertThat(actual.addsEos()).isEqualTo(expected.addsEos());
        assertThat(actual.chatTemplateSource()).isEqualTo(expected.chatTemplateSource());
        for (SpecialToken token : SpecialToken.values()) {
            assertThat(actual.id(token)).isEqualTo(expected.id(token));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "[2, 5]", "[7, 0, 2, 5]"})
    void aModelMeansTheSameAsAFolderAsGgufAndImportedAgain(String ends) throws IOException {
        copyTeacher();
        write("generation_config.json", "{\"eos_token_id\": " + ends + "}");
        String settings = Files.readString(folder.resolve("tokenizer_config.json"));
        write(
                "tokenizer_config.json",
                settings.replaceFirst("\\{", "{\"add_bos_token\": true, \"add_eos_token\": true,"));
        TextConventions expected = conventions();
        Path file = folder.resolve("model.gguf");
        GgufExport.run(folder, file, FileType.Q8_0, Progress.NONE);
        try (GgufFile gguf = GgufFile.open(file)) {
            Tokenizer tokenizer = Tokenizers.fromGguf(gguf.metadata());
            assertSame(TextConventions.ofGguf(gguf.metadata(), tokenizer), expected);
        }
        Path again = folder.resolve("again");
        GgufImport.run(file, again, DType.BF16, Progress.NONE);
        assertSame(TextConventions.ofFolder(again, Tokenizers.load(again)), expected);
    }

    @Test
    void endsThatGgufHasNoRoomForAreRefused() throws IOException {
        copyTeacher();
        write("generation_config.json", "{\"eos_token_id\": [2, 5, 6, 7]}");
        Path file = folder.resolve("model.gguf");
        assertThatThrownBy(() -> GgufExport.run(folder, file, FileType.Q8_0, Progress.NONE))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("[5, 6, 7]");
        assertThat(file).doesNotExist();
    }
}
