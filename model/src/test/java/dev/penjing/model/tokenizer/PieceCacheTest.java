package dev.penjing.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PieceCacheTest {
    private final PieceCache cache = new PieceCache(100);
    private final List<String> merged = new ArrayList<>();

    private int[] get(String piece) {
        return cache.get(
                piece,
                p -> {
                    merged.add(p);
                    return new int[] {p.hashCode()};
                });
    }

    @Test
    void aPieceIsMergedOnce() {
        assertThat(get("a")).containsExactly("a".hashCode());
        assertThat(get("a")).containsExactly("a".hashCode());
        assertThat(merged).containsExactly("a");
    }

    @Test
    void oddPiecesDoNotFillItForGood() {
        IntStream.range(0, 1000).forEach(i -> get("odd" + i));
        assertThat(cache.size()).isLessThanOrEqualTo(100);
        merged.clear();
        get("word");
        get("word");
        assertThat(merged).containsExactly("word");
    }

    @Test
    void whatRecursStaysAmongOddPieces() {
        get("word");
        for (int i = 0; i < 1000; i++) {
            get("odd" + i);
            get("word");
        }
        assertThat(merged).filteredOn("word"::equals).hasSize(1);
    }
}
