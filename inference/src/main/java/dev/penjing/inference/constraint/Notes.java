package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// What of a JSON Schema cannot be obeyed: refused by a strict reader, else noted.
final class Notes {
    private static final int MOST = 32;

    private final boolean strict;
    private final Set<String> ignored = new LinkedHashSet<>();

    Notes(boolean strict) {
        this.strict = strict;
    }

    /// A keyword at a place that is to be passed over.
    ///
    /// @throws UsageException `refusal` if nothing may be
    void ignore(String keyword, String at, UsageException refusal) {
        if (strict) {
            throw refusal;
        }
        if (ignored.size() < MOST) {
            ignored.add((at.endsWith("/" + keyword) ? at : at + "/" + keyword));
        }
    }

    /// Where what was passed over stands.
    List<String> ignored() {
        return new ArrayList<>(ignored);
    }
}
