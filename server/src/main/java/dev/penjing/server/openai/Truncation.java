package dev.penjing.server.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Shortens a conversation that is too long (`"truncation": "auto"`).
final class Truncation {
    private Truncation() {}

    /// The conversation as tokens, without its oldest turns if it needs that to fit. A turn begins
    /// with a message of the user's, so that neither an answer nor a function's result is left
    /// without what it answers. System messages at the beginning stay, and so does the last turn.
    ///
    /// @param room tokens that there is room for
    /// @param tokens of messages
    /// @return more than `room` tokens if the last turn alone takes more
    static int[] fit(
            List<Map<String, Object>> messages,
            int room,
            Function<List<Map<String, Object>>, int[]> tokens) {
        int[] whole = tokens.apply(messages);
        if (whole.length <= room) {
            return whole;
        }
        int system = 0;
        while (system < messages.size() && is(messages.get(system), "system")) {
            system++;
        }
        List<Integer> cuts = new ArrayList<>();
        for (int i = system + 1; i < messages.size(); i++) {
            if (is(messages.get(i), "user")) {
                cuts.add(i);
            }
        }
        // the fewer turns, the fewer tokens: halving finds the first cut that fits
        int[] best = whole;
        int low = 0;
        int high = cuts.size() - 1;
        while (low <= high) {
            int middle = (low + high) / 2;
            List<Map<String, Object>> rest = new ArrayList<>(messages.subList(0, system));
            rest.addAll(messages.subList(cuts.get(middle), messages.size()));
            int[] shorter = tokens.apply(rest);
            if (shorter.length <= room) {
                best = shorter;
                high = middle - 1;
            } else {
                best = best.length > shorter.length ? shorter : best;
                low = middle + 1;
            }
        }
        return best;
    }

    private static boolean is(Map<String, Object> message, String role) {
        return role.equals(message.get("role"));
    }
}
