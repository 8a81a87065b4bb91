package dev.penjing.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TokenizerMetadataTest {
    private static final String SPACES =
            "{'type': 'Replace', 'pattern': {'String': ' '}, 'content': '\u2581'}";

    private static JsonNode tokenizer(String normalizer, String preTokenizer) {
        return JsonMapper.shared()
                .readTree(
                        """
                        {'normalizer': %s, 'pre_tokenizer': %s, 'added_tokens': [],
                         'model': {'type': 'BPE', 'byte_fallback': true,
                                   'vocab': {'a': 0, 'b': 1, 'ab': 2}, 'merges': ['a b']}}
                        """
                                .formatted(normalizer, preTokenizer)
                                .replace('\'', '"'));
    }

    /// The blank that a text begins with comes from a normalizer or from Metaspace.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "null | {'type': 'Metaspace', 'prepend_scheme': 'always'} | true",
                "null | {'type': 'Metaspace', 'prepend_scheme': 'first'} | true",
                "null | {'type': 'Metaspace', 'prepend_scheme': 'never'} | false",
                "null | {'type': 'Metaspace', 'add_prefix_space': false} | false",
                "null | null | false",
                "SPACES | null | false",
                "{'type': 'Sequence', 'normalizers': [{'type': 'Prepend', 'prepend': '\u2581'}, SPACES]} | null | true",
            })
    void theFirstBlankIsKept(String normalizer, String preTokenizer, boolean expected) {
        JsonNode json = tokenizer(normalizer.replace("SPACES", SPACES), preTokenizer);
        assertThat(TokenizerMetadata.of(json, 3))
                .containsEntry("tokenizer.ggml.add_space_prefix", expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'type': 'NFC'} | NFC",
                "{'type': 'Sequence', 'normalizers': [SPACES, {'type': 'NFKC'}]} | NFKC",
                "{'type': 'Replace', 'pattern': {'String': 'e'}, 'content': 'i'} | Replace",
                "{'type': 'Prepend', 'prepend': 'x'} | Prepend",
            })
    void normalizersThatGgufCannotSayAreRefused(String normalizer, String named) {
        JsonNode json = tokenizer(normalizer.replace("SPACES", SPACES), "null");
        assertThatThrownBy(() -> TokenizerMetadata.of(json, 3))
                .hasMessageContaining("this tokenizer's normalizer " + named);
    }
}
