package dev.penjing.model.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Turns ids into text one by one, holding back bytes until a character is whole. One for each
/// stream; not thread-safe.
public final class StreamingDecoder {
    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private final CharsetDecoder decoder =
            StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] pending = {};

    public StreamingDecoder(Tokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
    }

    /// The text that `id` completes; may be empty. An id behind the tokenizer's last one, as models
    /// have whose vocabulary was padded, stands for no text.
    public String add(int id) {
        boolean silent = id >= tokenizer.vocabularySize() || skipSpecial && tokenizer.isSpecial(id);
        return silent ? "" : decode(tokenizer.bytes(id), false);
    }

    /// What is left at the end: U+FFFD for a character that never became whole.
    public String finish() {
        return decode(new byte[0], true);
    }

    private String decode(byte[] more, boolean last) {
        ByteBuffer in = ByteBuffer.allocate(pending.length + more.length);
        in.put(pending).put(more).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 4);
        decoder.reset();
        decoder.decode(in, out, last);
        if (last) {
            decoder.flush(out);
        }
        pending = new byte[in.remaining()];
        in.get(pending);
        return out.flip().toString();
    }
}
