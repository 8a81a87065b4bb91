package dev.penjing.evaluation.python;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// Numbers of CPython 3.11.
class PythonRandomTest {
    private static List<Integer> range(int n) {
        return IntStream.range(0, n).boxed().toList();
    }

    @Test
    void words() {
        PythonRandom random = new PythonRandom(1234);
        assertThat(LongStream.generate(() -> random.bits(32)).limit(5))
                .containsExactly(4150886329L, 3342196574L, 1892932127L, 501869158L, 32175636L);
    }

    @Test
    void below() {
        PythonRandom random = new PythonRandom(1234);
        assertThat(IntStream.range(0, 4).map(i -> random.below(40398)))
                .containsExactly(28883, 7657, 490, 5940);
    }

    /// `random.Random(seed).sample(range(n), k)`, with few and with many to draw from: two ways
    /// inside.
    @Test
    void samples() {
        assertThat(new PythonRandom(1234).sample(range(40398), 6))
                .containsExactly(28883, 7657, 490, 5940, 38156, 2288);
        assertThat(new PythonRandom(1234L).sample(range(20), 5)).containsExactly(14, 3, 0, 2, 1);
        assertThat(new PythonRandom(1234L).sample(range(21), 6))
                .containsExactly(14, 3, 0, 2, 1, 17);
        assertThat(new PythonRandom(7L).sample(range(40), 12))
                .containsExactly(20, 9, 25, 3, 4, 34, 6, 23, 36, 29, 16, 33);
        assertThat(new PythonRandom(5000000000L).sample(range(300), 25))
                .containsExactly(
                        44, 7, 245, 159, 236, 219, 293, 299, 65, 212, 252, 92, 182, 213, 266, 30,
                        251, 126, 286, 282, 20, 73, 183, 211, 18);
        assertThat(new PythonRandom(0L).sample(range(12), 12))
                .containsExactly(6, 11, 0, 4, 7, 3, 2, 10, 5, 8, 9, 1);
    }

    @Test
    void samplesHoldNothingTwice() {
        PythonRandom random = new PythonRandom(99);
        for (int n = 1; n < 60; n++) {
            for (int count = 0; count <= n; count++) {
                List<Integer> drawn = random.sample(range(n), count);
                assertThat(new HashSet<>(drawn)).hasSize(count);
                assertThat(range(n)).containsAll(drawn);
            }
        }
        assertThatThrownBy(() -> random.sample(range(3), 4))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
