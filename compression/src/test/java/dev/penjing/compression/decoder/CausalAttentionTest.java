package dev.penjing.compression.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.compression.torch.Tensors;
import java.util.OptionalInt;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CausalAttentionTest {
    /// @param window 0 for none
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 63, 64, 1000})
    void aPositionSeesItselfAndWhatTheWindowHolds(int window) {
        OptionalInt sliding = window == 0 ? OptionalInt.empty() : OptionalInt.of(window);
        for (ScalarType type : new ScalarType[] {ScalarType.Float, ScalarType.BFloat16}) {
            try (PointerScope scope = new PointerScope()) {
                Tensor mask = CausalAttention.mask(new TensorOptions(type), 64, sliding);
                assertThat(mask.scalar_type().intern()).isEqualTo(type);
                float[] values = Tensors.floats(mask);
                for (int i = 0; i < 64; i++) {
                    for (int j = 0; j < 64; j++) {
                        boolean seen = j <= i && (window == 0 || i - j < window);
                        assertThat(values[i * 64 + j])
                                .isEqualTo(seen ? 0 : Float.NEGATIVE_INFINITY);
                    }
                }
            }
        }
    }

    /// 65,536 positions have 2^32 pairs, more than an int counts; on the meta device libtorch
    /// computes shapes without memory.
    @Test
    void sixtyFourThousandPositions() {
        assertThat(CausalAttention.sizeFor(1)).isEqualTo(64);
        assertThat(CausalAttention.sizeFor(65)).isEqualTo(128);
        assertThat(CausalAttention.sizeFor(65_535)).isEqualTo(65_536);
        assertThat(CausalAttention.sizeFor(65_536)).isEqualTo(65_536);
        assertThat(CausalAttention.sizeFor(65_537)).isEqualTo(131_072);
        try (PointerScope scope = new PointerScope()) {
            TensorOptions meta =
                    new TensorOptions(ScalarType.Float)
                            .device(new DeviceOptional(new Device("meta")));
            for (OptionalInt window : new OptionalInt[] {OptionalInt.empty(), OptionalInt.of(9)}) {
                Tensor mask = CausalAttention.mask(meta, 65_536, window);
                assertThat(mask.numel()).isEqualTo(1L << 32);
                assertThat(mask.narrow(0, 0, 65_000).narrow(1, 0, 65_000).size(1))
                        .isEqualTo(65_000);
            }
        }
    }
}
