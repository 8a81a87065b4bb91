package dev.penjing.model.language;

/// A text of which the end is scored, given its beginning.
///
/// @param ids the whole text
/// @param from index of the first scored id: at least 1, at most `ids.length` (nothing is scored)
@SuppressWarnings("ArrayRecordComponent") // compared nowhere, copied nowhere
public record ScoredText(int[] ids, int from) {
    public ScoredText {
        if (from < 1 || from > ids.length) {
            throw new IllegalArgumentException(
                    "scored from %d of %d ids".formatted(from, ids.length));
        }
    }
}
