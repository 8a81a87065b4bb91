package dev.penjing.inference.sampling;

import java.util.List;

/// Finds stop texts in a stream, and holds back what may yet become one.
public final class StopFinder {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean found;

    public StopFinder(List<String> stops) {
        this.stops = stops;
    }

    /// The text that is certain not to belong to a stop text, up to the first stop text if there is
    /// one.
    ///
    /// @param early whether it is too early for a stop text to end here; it may begin
    public String add(String text, boolean early) {
        int old = held.length();
        held.append(text);
        int first = Integer.MAX_VALUE;
        for (String stop : stops) {
            // what was held before and held a whole one was early
            int at = early ? -1 : held.indexOf(stop, Math.max(0, old - stop.length() + 1));
            first = at >= 0 ? Math.min(first, at) : first;
        }
        if (first < Integer.MAX_VALUE) {
            found = true;
            held.setLength(first);
            return finish();
        }
        int keep = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > keep; n--) {
                if (stop.startsWith(held.substring(held.length() - n))) {
                    keep = n;
                }
            }
        }
        String certain = held.substring(0, held.length() - keep);
        held.delete(0, certain.length());
        return certain;
    }

    /// Whether a stop text was found.
    public boolean found() {
        return found;
    }

    /// What is still held back.
    public String finish() {
        String rest = held.toString();
        held.setLength(0);
        return rest;
    }
}
