package dev.penjing.model.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class JsonTextTest {
    /// As Python's json module does, and as editors write.
    @Test
    void whatOthersWriteIsRead() {
        assertThat(
                        JsonText.parse("\uFEFF{\"a\": NaN, \"b\": -Infinity, \"c\": 3}")
                                .path("c")
                                .asInt())
                .isEqualTo(3);
        assertThatThrownBy(() -> JsonText.parse("{\"a\": nothing}"))
                .isInstanceOf(JacksonException.class);
    }

    /// A reader of the message knows the text, not the parser.
    @ParameterizedTest
    @ValueSource(
            strings = {"{", "[1, 2", "{\"a\": 01}", "{'a': 1}", "nothing", "{\"a\": \"b\u0001\"}"})
    void theParserDoesNotSpeakOfItself(String text) {
        JacksonException e =
                catchThrowableOfType(JacksonException.class, () -> JsonText.parse(text));
        assertThat(JsonText.reason(e))
                .isNotBlank()
                .doesNotContain("Source", "Feature", "enable", "REDACTED");
    }

    @Test
    void whatIsNoNumberIsWrittenAsNull() {
        ObjectNode json = JsonMapper.builder().build().createObjectNode();
        JsonText.put(json, "a", 0.5);
        JsonText.put(json, "b", Double.POSITIVE_INFINITY);
        JsonText.put(json, "c", Double.NaN);
        assertThat(json.toString()).isEqualTo("{\"a\":0.5,\"b\":null,\"c\":null}");
    }
}
