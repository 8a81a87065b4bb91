package dev.penjing.model.tokenizer;

import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Two tokens that byte-pair encoding makes one of, as `tokenizer.json` lists them: `["a", "b"]`,
/// or `"a b"` in older files.
public record MergePair(String left, String right) {
    /// Empty if it is no pair.
    public static Optional<MergePair> of(JsonNode merge) {
        if (merge.isArray() && merge.size() == 2) {
            return Optional.of(new MergePair(merge.get(0).asString(""), merge.get(1).asString("")));
        }
        String both = merge.asString("");
        int space = both.indexOf(' ', 1);
        return space > 0
                ? Optional.of(new MergePair(both.substring(0, space), both.substring(space + 1)))
                : Optional.empty();
    }

    /// The token that they become.
    public String joined() {
        return left + right;
    }
}
