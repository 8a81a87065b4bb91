package dev.penjing.sandbox;

/// What became of a program.
///
/// @param passed whether it ran to its end and raised nothing
/// @param reason why not, as it may come from the program itself; empty if it passed
record Verdict(boolean passed, String reason) {
    static final int LONGEST_REASON = 300;

    /// The reason, fit to be shown: one line, no control characters, not long.
    String line() {
        var line = new StringBuilder();
        for (int i = 0; i < reason.length() && line.length() < LONGEST_REASON; i++) {
            char c = reason.charAt(i);
            if (c == '\n' || c == '\r') {
                break;
            }
            line.append(Character.isISOControl(c) || Character.isSurrogate(c) ? '?' : c);
        }
        return line.toString();
    }
}
