package dev.penjing.model.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What becomes of the matches of a pattern by which a text is split (tokenizers'
/// `SplitDelimiterBehavior`).
enum SplitBehavior {
    ISOLATED,
    REMOVED,
    MERGED_WITH_PREVIOUS,
    MERGED_WITH_NEXT,
    CONTIGUOUS;

    /// A part of the text.
    ///
    /// @param match whether the pattern matches it
    record Part(int start, int end, boolean match) {
        Part upTo(Part other) {
            return new Part(start, other.end, match);
        }
    }

    /// @param name as `tokenizer.json` has it: `MergedWithPrevious`
    /// @throws IllegalArgumentException if there is none of this name
    static SplitBehavior of(String name) {
        return valueOf(name.replaceAll("(?<=.)(?=[A-Z])", "_").toUpperCase(Locale.ROOT));
    }

    /// @param parts the whole text, matches of nothing included
    List<String> pieces(String text, List<Part> parts) {
        List<Part> kept =
                switch (this) {
                    case ISOLATED -> parts;
                    case REMOVED -> parts.stream().filter(part -> !part.match()).toList();
                    case MERGED_WITH_PREVIOUS -> merged(parts);
                    case MERGED_WITH_NEXT -> mergedWithNext(parts);
                    case CONTIGUOUS -> contiguous(parts);
                };
        return kept.stream()
                .filter(part -> part.end() > part.start())
                .map(part -> text.substring(part.start(), part.end()))
                .toList();
    }

    /// A match goes with what stands before it, unless that is a match.
    private static List<Part> merged(List<Part> parts) {
        List<Part> result = new ArrayList<>();
        boolean before = false;
        for (Part part : parts) {
            if (part.match() && !before && !result.isEmpty()) {
                result.add(result.removeLast().upTo(part));
            } else {
                result.add(part);
            }
            before = part.match();
        }
        return result;
    }

    private static List<Part> mergedWithNext(List<Part> parts) {
        List<Part> result = new ArrayList<>();
        boolean behind = false;
        for (Part part : parts.reversed()) {
            if (part.match() && !behind && !result.isEmpty()) {
                result.add(part.upTo(result.removeLast()));
            } else {
                result.add(part);
            }
            behind = part.match();
        }
        return result.reversed();
    }

    private static List<Part> contiguous(List<Part> parts) {
        List<Part> result = new ArrayList<>();
        for (Part part : parts) {
            boolean same = !result.isEmpty() && result.getLast().match() == part.match();
            result.add(same ? result.removeLast().upTo(part) : part);
        }
        return result;
    }
}
