package dev.penjing.inference.scoring;

import dev.penjing.model.language.ScoredText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/// Texts to score, drawn at random.
public final class ScoredTexts {
    /// Ids are below.
    public static final int VOCABULARY = 280;

    private ScoredTexts() {}

    /// Texts that grow out of one another at random places; some are the same, some differ in the
    /// last id alone, some are the beginning of others. In random order.
    public static List<ScoredText> random(Random random, int count, int longest) {
        List<ScoredText> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int length = 1 + random.nextInt(longest);
            int[] ids = random.ints(length, 1, VOCABULARY).toArray();
            if (i > 0 && random.nextInt(5) > 0) {
                int[] other = texts.get(random.nextInt(i)).ids();
                int shared =
                        switch (random.nextInt(4)) {
                            case 0 -> other.length;
                            case 1 -> other.length - 1;
                            default -> random.nextInt(other.length + 1);
                        };
                System.arraycopy(other, 0, ids, 0, Math.min(shared, length));
                if (random.nextInt(4) == 0) {
                    ids = other.clone();
                    ids[ids.length - 1] = 1 + random.nextInt(VOCABULARY - 1);
                }
            }
            int from =
                    switch (random.nextInt(4)) {
                        case 0 -> 1;
                        case 1 -> ids.length;
                        case 2 -> Math.max(1, ids.length - 1);
                        default -> 1 + random.nextInt(ids.length);
                    };
            texts.add(new ScoredText(ids, from));
        }
        Collections.shuffle(texts, random);
        return texts;
    }
}
