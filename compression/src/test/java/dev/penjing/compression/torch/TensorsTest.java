package dev.penjing.compression.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.compression.TinyModels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class TensorsTest {
    /// A look at a tensor's memory ends with its arena, as an exception and not as a crash.
    @Test
    void memoryHasALifetime() {
        try (PointerScope scope = new PointerScope()) {
            Tensor tensor = TinyModels.tensor(new float[] {1, 2, 3}, 3);
            MemorySegment kept;
            try (Arena arena = Arena.ofConfined()) {
                kept = Tensors.memory(tensor, arena);
                assertThat(kept.byteSize()).isEqualTo(12);
                kept.setAtIndex(ValueLayout.JAVA_FLOAT, 1, 5);
            }
            assertThat(Tensors.floats(tensor)).containsExactly(1, 5, 3);
            assertThatThrownBy(() -> kept.getAtIndex(ValueLayout.JAVA_FLOAT, 0))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void longsOfAViewAreItsOwn() {
        try (PointerScope scope = new PointerScope()) {
            Tensor ids = Tensors.ids(new int[] {1, 2, 3, 4, 5, 6}, 2, 3);
            assertThat(Tensors.longs(ids.narrow(1, 1, 2))).containsExactly(2, 3, 5, 6);
        }
    }
}
