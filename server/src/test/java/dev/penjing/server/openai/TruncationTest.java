package dev.penjing.server.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Each letter is a message: s system, u user, a assistant, t a function's result; each takes ten
/// tokens, of the message's place.
class TruncationTest {
    private static final Map<Character, String> ROLES =
            Map.of('s', "system", 'u', "user", 'a', "assistant", 't', "tool");

    private static List<Integer> kept(String letters, int messages) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (int i = 0; i < letters.length(); i++) {
            all.add(Map.of("role", ROLES.getOrDefault(letters.charAt(i), ""), "content", i));
        }
        int[] ids = Truncation.fit(all, 10 * messages, TruncationTest::tokens);
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < ids.length; i += 10) {
            places.add(ids[i]);
        }
        return places;
    }

    private static int[] tokens(List<Map<String, Object>> messages) {
        return messages.stream()
                .map(message -> message.get("content"))
                .mapToInt(place -> place instanceof Integer i ? i : -1)
                .flatMap(place -> IntStream.generate(() -> place).limit(10))
                .toArray();
    }

    @Test
    void whatFitsStays() {
        assertThat(kept("suau", 4)).containsExactly(0, 1, 2, 3);
    }

    @Test
    void oldTurnsGoAndTheSystemsWordStays() {
        assertThat(kept("suauauau", 7)).containsExactly(0, 3, 4, 5, 6, 7);
        assertThat(kept("suauauau", 4)).containsExactly(0, 5, 6, 7);
        assertThat(kept("suauauau", 3)).containsExactly(0, 7);
        assertThat(kept("uuuuuuuu", 5)).containsExactly(3, 4, 5, 6, 7);
    }

    @Test
    void aTurnGoesWithAllItsCallsAndResults() {
        assertThat(kept("uatatau", 6)).containsExactly(6);
        assertThat(kept("uatauat", 6)).containsExactly(4, 5, 6);
    }

    @Test
    void theLastTurnStaysEvenIfItIsTooLong() {
        assertThat(kept("suauata", 2)).containsExactly(0, 3, 4, 5, 6);
        assertThat(kept("saaa", 2)).containsExactly(0, 1, 2, 3);
    }
}
