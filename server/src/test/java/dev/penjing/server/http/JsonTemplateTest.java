package dev.penjing.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

class JsonTemplateTest {
    private static final Function<String, ObjectNode> CHUNK =
            text -> {
                ObjectNode chunk = HttpJson.object().put("id", "a \"name\"").put("created", 12);
                chunk.putObject("delta").put("content", text).putNull("refusal");
                return chunk;
            };

    private static byte[] written(JsonTemplate template, String text) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        template.write(text, out);
        return out.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "owl",
                "a \"quoted\" \\ text/",
                "\n\r\t\b\f\u0000\u001f\u007f",
                "é 漢字 🪁",
                "\u2028\u2029",
                "<script>&'"
            })
    void writesWhatJacksonWrites(String text) {
        assertThat(written(new JsonTemplate(CHUNK), text)).isEqualTo(HttpJson.bytes(CHUNK.apply(text)));
    }

    @Test
    void everyCharacter() {
        JsonTemplate template = new JsonTemplate(CHUNK);
        for (int c = 0; c < 0x20000; c++) {
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                String text = Character.toString(c);
                assertThat(written(template, text)).isEqualTo(HttpJson.bytes(CHUNK.apply(text)));
            }
        }
    }
}
