package dev.penjing.server.http;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.function.Function;
import tools.jackson.core.io.JsonStringEncoder;
import tools.jackson.databind.node.ObjectNode;

/// A JSON object that is sent again and again with another text in one place: written once, but for
/// the text.
public final class JsonTemplate {
    private final byte[] before;
    private final byte[] after;

    /// @param object makes the object from the text, which stands in it once, as a value
    public JsonTemplate(Function<String, ObjectNode> object) {
        String hole = UUID.randomUUID().toString();
        String all = new String(HttpJson.bytes(object.apply(hole)), StandardCharsets.UTF_8);
        int at = all.indexOf(hole);
        before = all.substring(0, at).getBytes(StandardCharsets.UTF_8);
        after = all.substring(at + hole.length()).getBytes(StandardCharsets.UTF_8);
    }

    /// Writes the object with this text, as `HttpJson.bytes` has it.
    void write(String text, ByteArrayOutputStream to) {
        to.writeBytes(before);
        to.writeBytes(JsonStringEncoder.getInstance().quoteAsUTF8(text));
        to.writeBytes(after);
    }
}
