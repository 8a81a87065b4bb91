package dev.penjing.model.tokenizer;

import java.util.OptionalInt;

/// Text to token ids and back. Immutable and safe to share between threads.
public interface Tokenizer {
    /// Ids of `text`, special tokens written out in the text recognised, none added.
    int[] encode(String text);

    /// The same of a text with marks of [SpecialTexts]: what they stand in is no special token.
    default int[] encodeMarked(String text) {
        return encode(SpecialTexts.unmarked(text));
    }

    /// The text of `ids`, special tokens left out where `skipSpecial`. Bytes that are not UTF-8
    /// become U+FFFD.
    String decode(int[] ids, boolean skipSpecial);

    /// The bytes that one id stands for (empty for a special token when decoding skips it).
    byte[] bytes(int id);

    /// One more than the largest id.
    int vocabularySize();

    /// The id of a token in its written form, such as `<|im_end|>`.
    OptionalInt id(String token);

    boolean isSpecial(int id);
}
