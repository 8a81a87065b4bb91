package dev.penjing.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.Rope;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RopeTableTest {
    private static Rope rope(double factor, int context) {
        return new Rope(500_000, new Rope.Scaling.Llama3(factor, 1, 4, context));
    }

    /// Numbers of transformers 5.24: what it divides frequencies by.
    @Test
    void isWhatTransformersComputes() {
        float[] ofLlama32 = RopeTable.of(rope(32, 8192), 64);
        assertThat(ofLlama32).hasSize(32);
        assertThat(Arrays.copyOf(ofLlama32, 15)).containsOnly(1f);
        assertThat(Arrays.copyOfRange(ofLlama32, 15, 18))
                .containsExactly(new float[] {1.6513f, 3.2923f, 9.6667f}, within(1e-4f));
        assertThat(Arrays.copyOfRange(ofLlama32, 18, 32)).containsOnly(32f);
        float[] ofLlama31 = RopeTable.of(rope(8, 8192), 128);
        assertThat(Arrays.copyOfRange(ofLlama31, 28, 36))
                .containsExactly(
                        new float[] {1, 1.2075f, 1.5534f, 2.0263f, 2.6945f, 3.6843f, 5.2573f, 8},
                        within(1e-4f));
    }

    @Test
    void settingsAreFoundAgain() {
        for (int headDim : List.of(16, 64, 128)) {
            for (Rope rope : List.of(rope(8, 8192), rope(32, 8192), rope(4, 32_768))) {
                float[] table = RopeTable.of(rope, headDim);
                Rope.Scaling.Llama3 found = RopeTable.scaling(table, rope.theta());
                assertThat(RopeTable.of(new Rope(rope.theta(), found), headDim))
                        .containsExactly(table, within(1e-6f));
            }
        }
        Rope llama31 = rope(8, 8192);
        assertThat(RopeTable.scaling(RopeTable.of(llama31, 128), 500_000))
                .isEqualTo(llama31.scaling());
    }

    @Test
    void anotherTableIsRefused() {
        float[] table = RopeTable.of(rope(8, 8192), 128);
        for (float wrong : new float[] {1.5f, 0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            float[] changed = table.clone();
            changed[3] = wrong;
            assertThatThrownBy(() -> RopeTable.scaling(changed, 500_000))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("not Llama 3's");
        }
    }
}
