package dev.penjing.inference.constraint;

import java.util.Map;
import java.util.Optional;

/// The formats of strings, as regular expressions: never more than the format's RFC allows, now and
/// then less.
final class Formats {
    private static final String DATE =
            "(\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)"
                    + "|02-(0[1-9]|1\\d|2[0-8]))"
                    + "|(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
    private static final String TIME =
            "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-](0\\d|1[0-3]):[0-5]\\d)";
    private static final String LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private static final String HOST = "%s(\\.%s)*".formatted(LABEL, LABEL);
    private static final String BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private static final String ATOM = "[A-Za-z0-9_%+-]+";

    private static final Map<String, String> PATTERNS =
            Map.ofEntries(
                    Map.entry("date", DATE),
                    Map.entry("time", TIME),
                    Map.entry("date-time", DATE + "T" + TIME),
                    Map.entry("duration", "P(\\d{1,4}D|\\d{1,4}W|(\\d{1,4}D)?T\\d{1,4}[HMS])"),
                    Map.entry("uuid", "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
                    Map.entry("email", "%s(\\.%s)*@%s(\\.%s)+".formatted(ATOM, ATOM, LABEL, LABEL)),
                    Map.entry("hostname", HOST),
                    Map.entry("ipv4", BYTE + "(\\." + BYTE + "){3}"),
                    Map.entry("ipv6", "[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}"),
                    Map.entry("uri", "https?://" + HOST + "(:\\d{1,4})?(/[A-Za-z0-9._~-]*)*"));

    private Formats() {}

    /// The content of a JSON string of a format; empty for one that is not known.
    static Optional<Expr> of(String format) {
        return Optional.ofNullable(PATTERNS.get(format))
                .map(pattern -> RegularExpression.inString("^(" + pattern + ")$", format));
    }
}
