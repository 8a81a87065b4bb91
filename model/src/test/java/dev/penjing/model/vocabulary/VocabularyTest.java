package dev.penjing.model.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.tokenizer.MergePair;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Vocabularies that lose tokens: those of tokenizers with random options, byte-level ones and
/// SentencePiece's with bytes to fall back to, and small ones by hand.
class VocabularyTest {
    /// Ids of a model that have no token.
    private static final int PADDING = 5;

    /// Lower case letters, of which `ab`, `abc` and `de` are made.
    private static final String LETTERS =
            """
            {"added_tokens": [{"id": 8, "content": "<s>", "special": true}], "pre_tokenizer": null,
             "post_processor": {"type": "TemplateProcessing", "single": [], "pair": [],
                 "special_tokens": {"<s>": {"id": "<s>", "ids": [8], "tokens": ["<s>"]}}},
             "model": {"type": "BPE", "unk_token": "a", "ignore_merges": false,
                 "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4, "ab": 5, "abc": 6, "de": 7},
                 "merges": ["a b", ["ab", "c"], "d e"]}}
            """;

    @TempDir Path folder;

    private Path to() {
        return folder.resolve("student");
    }

    private static ModelConfig config(int vocabulary, String more) {
        return ModelConfig.parse(
                """
                {"model_type": "llama", "vocab_size": %d, "hidden_size": 16,
                 "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1,
                 "num_key_value_heads": 1, "max_position_embeddings": 128, "rms_norm_eps": 1e-5,
                 "tie_word_embeddings": false %s}
                """
                        .formatted(vocabulary, more),
                "test");
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }

    /// The tokenizer of a model that keeps these tokens.
    private Tokenizer cut(ModelConfig config, int[] kept) throws IOException {
        Files.createDirectories(to());
        Vocabulary.copyCompanions(folder, config, kept, to());
        return Tokenizers.load(to());
    }

    private static int[] before(int[] ids, int[] kept) {
        return Arrays.stream(ids).map(id -> kept[id]).toArray();
    }

    @Test
    void randomTokenizersKeepThePiecesOfTheText() throws IOException {
        int tokenizers = 0;
        int fallingBack = 0;
        try (InputStream in =
                        VocabularyTest.class.getResourceAsStream("/tokenizers/random.jsonl.gz");
                BufferedReader reader =
                        new BufferedReader(
                                new InputStreamReader(
                                        new GZIPInputStream(in), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                JsonNode json = JsonMapper.shared().readTree(line);
                List<String> texts =
                        json.path("texts").valueStream().map(JsonNode::stringValue).toList();
                write("tokenizer.json", json.path("tokenizer").toString());
                keepsThePieces(json.path("tokenizer"), texts);
                fallingBack += json.at("/tokenizer/model/byte_fallback").asBoolean(false) ? 1 : 0;
                tokenizers++;
            }
        }
        assertThat(tokenizers).isGreaterThanOrEqualTo(24);
        assertThat(fallingBack).isBetween(8, tokenizers - 8);
    }

    private void keepsThePieces(JsonNode json, List<String> texts) throws IOException {
        int size = Tokenizers.load(folder).vocabularySize() + PADDING;
        ModelConfig config = config(size, "");
        Vocabulary vocabulary = Vocabulary.of(folder, config);
        List<String> counted = texts.subList(0, texts.size() / 2);
        long[] counts = new long[size];
        for (String text : counted) {
            Arrays.stream(vocabulary.tokenizer().encode(text)).forEach(id -> counts[id]++);
        }
        RemovalOrder order = vocabulary.removalOrder(counts);
        assertThat(order.needed()).isBetween(order.least(), size - PADDING);
        int[] needed = order.kept(order.needed());
        Tokenizer exact = cut(config, needed);
        assertThat(exact.vocabularySize()).isEqualTo(needed.length);
        for (String text : counted) {
            int[] ids = exact.encode(text);
            assertThat(before(ids, needed)).isEqualTo(vocabulary.tokenizer().encode(text));
            assertThat(exact.decode(ids, true))
                    .isEqualTo(vocabulary.tokenizer().decode(before(ids, needed), true));
        }
        agreesWithTheLibrary(exact, texts);
        agreesWithTheLibrary(cut(config, order.kept(order.least())), texts);
        for (int count = order.least(); count < size - PADDING; count += 11) {
            isClosed(json, order.kept(count));
        }
    }

    private void agreesWithTheLibrary(Tokenizer tokenizer, List<String> texts) throws IOException {
        try (HuggingFaceTokenizer reference =
                HuggingFaceTokenizer.newInstance(
                        to().resolve("tokenizer.json"),
                        Map.of("addSpecialTokens", "false", "truncation", "false"))) {
            for (String text : texts) {
                assertThat(Arrays.stream(tokenizer.encode(text)).asLongStream().toArray())
                        .as(text)
                        .isEqualTo(reference.encode(text, false, false).getIds());
            }
        }
    }

    /// Kept are the parts of what is kept, added tokens, and 256 bytes.
    private static void isClosed(JsonNode json, int[] kept) {
        Map<String, Integer> ids = new HashMap<>();
        json.at("/model/vocab")
                .properties()
                .forEach(token -> ids.put(token.getKey(), token.getValue().asInt()));
        for (JsonNode merge : json.at("/model/merges")) {
            MergePair pair = MergePair.of(merge).orElseThrow();
            if (has(kept, ids.getOrDefault(pair.joined(), -1))) {
                assertThat(kept)
                        .contains(ids.getOrDefault(pair.left(), -1))
                        .contains(ids.getOrDefault(pair.right(), -1));
            }
        }
        json.path("added_tokens").forEach(t -> assertThat(kept).contains(t.path("id").asInt()));
        boolean fallback = json.at("/model/byte_fallback").asBoolean(false);
        long bytes =
                ids.entrySet().stream()
                        .filter(token ->
                                fallback
                                        ? token.getKey().matches("<0x[0-9A-F]{2}>")
                                        : token.getKey().length() == 1)
                        .filter(token -> has(kept, token.getValue()))
                        .count();
        assertThat(bytes).isEqualTo(256);
    }

    private static boolean has(int[] kept, int id) {
        return Arrays.binarySearch(kept, id) >= 0;
    }

    /// Padding goes first; then what the text has not, the last merge first; then by need. A token
    /// that goes leaves its need to its parts, and letters stay where there are no bytes.
    @ParameterizedTest
    @CsvSource({
        "9, 0 1 2 3 4 5 6 7 8",
        "8, 0 1 2 3 4 5 6 8",
        "7, 0 1 2 3 4 5 8",
        "6, 0 1 2 3 4 8",
    })
    void whatIsNeededLeastGoesFirst(int count, String kept) throws IOException {
        write("tokenizer.json", LETTERS);
        Vocabulary vocabulary = Vocabulary.of(folder, config(12, ""));
        long[] counts = new long[12];
        counts[6] = 3;
        counts[7] = 1;
        RemovalOrder order = vocabulary.removalOrder(counts);
        assertThat(order.kept(count))
                .isEqualTo(Arrays.stream(kept.split(" ")).mapToInt(Integer::parseInt).toArray());
        assertThat(order.needed()).isEqualTo(9);
        assertThat(order.least()).isEqualTo(6);
        assertThat(vocabulary.removalOrder(new long[12]).needed()).isEqualTo(6);
    }

    @ParameterizedTest
    @CsvSource({
        "5, small",
        "13, large",
    })
    void sizesThatCannotBeAreRefused(int count, String how) throws IOException {
        write("tokenizer.json", LETTERS);
        RemovalOrder order = Vocabulary.of(folder, config(12, "")).removalOrder(new long[12]);
        assertThatThrownBy(() -> order.kept(count))
                .isInstanceOf(UsageException.class)
                .hasMessage(
                        "`vocabSize` %d is too %s: this vocabulary has 12 tokens, and can be cut to 6, its special tokens and bytes",
                        count, how);
    }

    /// Every id that a file names follows its token.
    @Test
    void idsThatFilesNameFollowTheirTokens() throws IOException {
        write("tokenizer.json", LETTERS);
        write(
                "tokenizer_config.json",
                """
                {"added_tokens_decoder": {"8": {"content": "<s>", "special": true}}}
                """);
        write("generation_config.json", "{\"eos_token_id\": [7, 8], \"pad_token_id\": -1}");
        write("tokenizer.model", "of SentencePiece, with all tokens");
        Files.createDirectories(to());
        Files.writeString(to().resolve("tokenizer.model"), "of another model");
        ModelConfig config = config(12, ", \"bos_token_id\": 8");
        Vocabulary vocabulary = Vocabulary.of(folder, config);
        RemovalOrder order = vocabulary.removalOrder(new long[12]);
        int[] kept = order.kept(order.least());
        // 7 stays with its parts, since text ends there
        assertThat(kept).containsExactly(0, 1, 2, 3, 4, 7, 8);
        Tokenizer tokenizer = cut(config, kept);
        assertThat(tokenizer.encode("<s>abcde")).containsExactly(6, 0, 1, 2, 5);
        JsonNode json = JsonText.read(to().resolve("tokenizer.json"));
        assertThat(json.at("/post_processor/special_tokens/<s>/ids/0").asInt()).isEqualTo(6);
        assertThat(
                        JsonText.read(to().resolve("tokenizer_config.json"))
                                .at("/added_tokens_decoder/6/content")
                                .asString())
                .isEqualTo("<s>");
        assertThat(JsonText.read(to().resolve("generation_config.json")).toString())
                .isEqualTo("{\"eos_token_id\":[5,6],\"pad_token_id\":-1}");
        assertThat(to().resolve("tokenizer.model")).doesNotExist();
        ModelConfig student = config.withTokens(id -> Arrays.binarySearch(kept, id));
        assertThat(JsonText.parse(student.toJson()).path("bos_token_id").asInt()).isEqualTo(6);
    }

    @Test
    void theTokensOfAStudentAreFoundInItsTeacher() throws IOException {
        write("tokenizer.json", LETTERS);
        ModelConfig config = config(12, "");
        Vocabulary teacher = Vocabulary.of(folder, config);
        int[] kept = {0, 1, 2, 3, 4, 7, 8, 9, 11};
        cut(config, kept);
        // any padding is as good as other
        assertThat(teacher.idsOf(Vocabulary.of(to(), config(9, ""))))
                .containsExactly(0, 1, 2, 3, 4, 7, 8, 9, 10);
        Files.writeString(
                to().resolve("tokenizer.json"),
                Files.readString(to().resolve("tokenizer.json")).replace("<s>", "<other>"));
        Vocabulary other = Vocabulary.of(to(), config(9, ""));
        assertThatThrownBy(() -> teacher.idsOf(other))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("the token '<other>' (6)")
                .hasMessageContaining("prune the student from this teacher");
    }

    @Test
    void whatLosesNothingIsCopied() throws IOException {
        write("tokenizer.json", LETTERS);
        Files.createDirectories(to());
        int[] all = IntStream.range(0, 12).toArray();
        Vocabulary.copyCompanions(folder, config(12, ""), all, to());
        assertThat(to().resolve("tokenizer.json"))
                .hasSameBinaryContentAs(folder.resolve("tokenizer.json"));
    }
}
