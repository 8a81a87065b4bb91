package dev.penjing.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// What a client of the load test asks for, the same with the same seed.
///
/// @param tokens of the answer: neither fewer nor more
record LoadRequest(String question, int tokens) {
    static final int SHORTEST = 20;
    static final int LONGEST = 100;

    /// Of a prompt with all that a chat template puts around it, and its answer; about twice of
    /// what there is.
    static final int ROOM = 256;

    private static final List<String> BEGINNINGS =
            List.of(
                    "Who has",
                    "Tell me about",
                    "Where is",
                    "What do you know of",
                    "Describe",
                    "How would you draw",
                    "Who lost",
                    "Why did nobody see",
                    "Write a line on",
                    "What rhymes with");
    private static final List<String> KINDS =
            List.of(
                    "red",
                    "old",
                    "small",
                    "broken",
                    "singing",
                    "heavy",
                    "forgotten",
                    "blue",
                    "second",
                    "quiet",
                    "wooden",
                    "early");
    private static final List<String> THINGS =
            List.of(
                    "kite", "lantern", "river", "clock", "orchard", "bridge", "letter", "violin",
                    "harbour", "stone", "garden", "owl", "train", "map", "window");
    private static final List<String> ENDINGS =
            List.of(
                    "",
                    " in Larkwell",
                    " of my sister",
                    " by the sea",
                    " at night",
                    " in two words");

    /// A client's requests, one after the other.
    static List<LoadRequest> of(long seed, int client, int count) {
        Random random = new Random(seed * 1_000_003 + client);
        List<LoadRequest> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String question =
                    "%s the %s %s%s?"
                            .formatted(
                                    one(random, BEGINNINGS),
                                    one(random, KINDS),
                                    one(random, THINGS),
                                    one(random, ENDINGS));
            all.add(new LoadRequest(question, random.nextInt(SHORTEST, LONGEST + 1)));
        }
        return all;
    }

    private static String one(Random random, List<String> all) {
        return all.get(random.nextInt(all.size()));
    }
}
