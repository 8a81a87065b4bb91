package dev.penjing.compression.data;

import dev.penjing.model.text.TextConventions;
import java.util.OptionalInt;

/// The tokens around each document of a tokenised text, as the model's tokenizer puts them there.
///
/// @param begin what it begins with: BOS, where the model's texts begin with one
/// @param end what closes it
public record DocumentMarks(OptionalInt begin, OptionalInt end) {
    public static final DocumentMarks NONE =
            new DocumentMarks(OptionalInt.empty(), OptionalInt.empty());

    public static DocumentMarks of(TextConventions conventions) {
        return new DocumentMarks(conventions.textBegin(), conventions.documentEnd());
    }

    /// What tells token files apart; without a beginning it is what it was before there was one.
    @Override
    public String toString() {
        return begin.isPresent() ? "%s from %d".formatted(end, begin.getAsInt()) : end.toString();
    }
}
