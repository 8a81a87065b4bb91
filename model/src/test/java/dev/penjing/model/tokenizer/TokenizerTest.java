package dev.penjing.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Agreement with the reference implementation (Hugging Face tokenizers, in Rust) on tokenizers
/// that the test trains itself.
class TokenizerTest {
    private static final List<String> SPECIAL = List.of("<|end|>", "<|start|>");
    private static final String[] PIECES = {
        "the",
        " ",
        "  ",
        "\n",
        "\t",
        "\r\n",
        "Hello",
        " world",
        "'s",
        "'LL",
        "naïve",
        "日本語",
        "😀",
        "👩‍👩‍👧",
        "é",
        "1",
        "23",
        "4567",
        "½",
        "Ⅷ",
        "...",
        "!?",
        "<|end|>",
        "<|start|>",
        "<|",
        "ß",
        "ÀÉ",
        "İ",
        "\u00a0",
        "\u2003",
        "\u200b",
        "\u0000",
        "ع",
        "हिन्दी",
        "/",
        "//\n",
        "_x",
        "CamelCase",
        "\u2581"
    };

    @TempDir Path folder;

    private static List<String> texts(long seed, int count) {
        Random random = new Random(seed);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(1, 20); n > 0; n--) {
                if (random.nextInt(8) == 0) {
                    int c = random.nextInt(0x20, 0x2ff0);
                    text.appendCodePoint(Character.isDefined(c) ? c : 'x');
                } else {
                    text.append(PIECES[random.nextInt(PIECES.length)]);
                }
            }
            texts.add(text.toString());
        }
        return texts;
    }

    private static String trained() {
        Tokenizer tokenizer = BpeTrainer.trainByteLevel(texts(1, 2000), 700, SPECIAL);
        return ((BpeTokenizer) tokenizer).json().toString();
    }

    private static String split(String regex) {
        String escaped = regex.replace("\\", "\\\\");
        return "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\""
                + escaped
                + "\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\","
                + "\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}]}";
    }

    private void agrees(String json) throws IOException {
        Path file = folder.resolve("tokenizer.json");
        Files.writeString(file, json);
        Tokenizer ours = Tokenizers.load(folder);
        try (HuggingFaceTokenizer reference =
                HuggingFaceTokenizer.newInstance(
                        file, Map.of("addSpecialTokens", "false", "truncation", "false"))) {
            for (String text : texts(7, 3000)) {
                long[] expected = reference.encode(text, false, false).getIds();
                int[] ids = ours.encode(text);
                assertThat(Arrays.stream(ids).asLongStream().toArray())
                        .as(text)
                        .isEqualTo(expected);
                assertThat(ours.decode(ids, true))
                        .as(text)
                        .isEqualTo(reference.decode(expected, true));
                StreamingDecoder stream = new StreamingDecoder(ours, false);
                StringBuilder streamed = new StringBuilder();
                for (int id : ids) {
                    streamed.append(stream.add(id));
                }
                assertThat(streamed.append(stream.finish()).toString().strip())
                        .isEqualTo(ours.decode(ids, false).strip());
            }
        }
    }

    @Test
    void smollm() throws IOException {
        agrees(trained());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                PreTokenizer.GPT2,
                PreTokenizer.LLAMA3,
                PreTokenizer.QWEN2,
                PreTokenizer.TEKKEN
            })
    void byteLevelByPattern(String regex) throws IOException {
        String json = trained();
        int from = json.indexOf("\"pre_tokenizer\":") + "\"pre_tokenizer\":".length();
        int to = json.indexOf(",\"decoder\"");
        agrees(json.substring(0, from) + split(regex) + json.substring(to));
        agrees(
                (json.substring(0, from) + split(regex) + json.substring(to))
                        .replace("\"ignore_merges\":false", "\"ignore_merges\":true"));
    }

    /// A vocabulary in SentencePiece's form, with bytes to fall back to, from GGUF metadata.
    private static Map<String, Object> sentencePiece() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
        for (int b = 0; b < 256; b++) {
            tokens.add("<0x%02X>".formatted(b));
            types.add(6);
        }
        for (String piece :
                "\u2581 e t a o h l r d s n w i the he in \u2581t \u2581the er \u2581w or wor world \u2581world ld ll el H Hello \u2581\u2581 \u2581\u2581\u2581\u2581 th é 日"
                        .split(" ")) {
            tokens.add(piece);
            types.add(1);
        }
        float[] scores = new float[tokens.size()];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = -i;
        }
        return Map.of(
                "tokenizer.ggml.model",
                "llama",
                "tokenizer.ggml.tokens",
                tokens.toArray(String[]::new),
                "tokenizer.ggml.scores",
                scores,
                "tokenizer.ggml.token_type",
                types.stream().mapToInt(Integer::intValue).toArray());
    }

    @Test
    void sentencePieceWithByteFallback() throws IOException {
        Tokenizer tokenizer = Tokenizers.fromGguf(sentencePiece());
        agrees(((BpeTokenizer) tokenizer).json().toString());
    }

    @Test
    void byteLevelGivesBackEveryText() {
        Tokenizer tokenizer = BpeTrainer.trainByteLevel(texts(1, 2000), 700, SPECIAL);
        for (String text : texts(9, 2000)) {
            assertThat(tokenizer.decode(tokenizer.encode(text), false)).isEqualTo(text);
        }
    }

    @Test
    void trainingIsDeterministicAndUsesItsVocabulary() {
        String json = trained();
        assertThat(trained()).isEqualTo(json);
        Tokenizer tokenizer = BpeTrainer.trainByteLevel(texts(1, 2000), 700, SPECIAL);
        assertThat(tokenizer.vocabularySize()).isEqualTo(700);
        assertThat(tokenizer.encode("<|end|>")).containsExactly(0);
        assertThat(tokenizer.isSpecial(0)).isTrue();
    }

    @Test
    void aWordOfAMegabyteIsNoTrouble() {
        Tokenizer tokenizer = BpeTrainer.trainByteLevel(texts(1, 2000), 700, SPECIAL);
        String word = "ab".repeat(500_000);
        assertThat(tokenizer.decode(tokenizer.encode(word), false)).isEqualTo(word);
    }

    @Test
    void aStreamHoldsBackUntilACharacterIsWhole() {
        Tokenizer tokenizer = BpeTrainer.trainByteLevel(List.of("abc"), 300, List.of());
        StreamingDecoder stream = new StreamingDecoder(tokenizer, true);
        int[] ids = tokenizer.encode("😀");
        assertThat(ids).hasSize(4);
        assertThat(stream.add(ids[0]) + stream.add(ids[1]) + stream.add(ids[2])).isEmpty();
        assertThat(stream.add(ids[3])).isEqualTo("😀");
        assertThat(stream.add(ids[0])).isEmpty();
        assertThat(stream.finish()).isEqualTo("\ufffd");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{} | has no model",
                "{'model':{'type':'WordPiece','vocab':{'a':0}}} | WordPiece",
                "{'model':{'type':'BPE','vocab':{}}} | vocabulary is empty",
                "{'model':{'type':'BPE','vocab':{'a':-1}}} | has no id",
                "{'model':{'type':'BPE','vocab':{'a':0},'merges':['b c'],'byte_fallback':true}} | 'b'",
                "{'normalizer':{'type':'Odd'},'model':{'type':'BPE','vocab':{'a':0},'byte_fallback':true}} | Odd",
                "{'pre_tokenizer':{'type':'Odd'},'model':{'type':'BPE','vocab':{'a':0}}} | Odd",
                "{'decoder':{'type':'Odd'},'model':{'type':'BPE','vocab':{'a':0},'byte_fallback':true}} | Odd",
                "{'model' | not JSON",
            })
    void whatIsNotUnderstoodIsNamed(String json, String named) throws IOException {
        Files.writeString(
                folder.resolve("tokenizer.json"), json.replace('\'', '"').replace("\"b\"", "'b'"));
        assertThatThrownBy(() -> Tokenizers.load(folder))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining(named)
                .hasMessageNotContaining("\n");
    }
}
