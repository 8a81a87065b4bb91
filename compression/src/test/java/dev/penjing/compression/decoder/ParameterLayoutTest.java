package dev.penjing.compression.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import java.util.List;
import org.junit.jupiter.api.Test;

class ParameterLayoutTest {
    private final ModelConfig config = TinyModels.llama(", \"attention_bias\": true");
    private final ParameterLayout layout = ParameterLayout.of(config);

    @Test
    void matricesComeFirstAndNothingLiesBetween() {
        long at = 0;
        boolean vectors = false;
        for (Slot slot : layout.slots()) {
            assertThat(slot.offset()).isEqualTo(at);
            vectors |= !slot.spec().matrix();
            assertThat(slot.spec().matrix()).isEqualTo(!vectors);
            assertThat(at < layout.matrices()).isEqualTo(!vectors);
            at += slot.size();
        }
        assertThat(at).isEqualTo(layout.size()).isEqualTo(config.parameters());
    }

    @Test
    void aGroupIsOneMatrix() {
        List<Slot> qkv = layout.group(1, Role.QUERY, Role.KEY, Role.VALUE);
        assertThat(qkv)
                .extracting(slot -> slot.spec().role())
                .containsExactly(Role.QUERY, Role.KEY, Role.VALUE);
        assertThat(qkv.getLast().offset() + qkv.getLast().size() - qkv.getFirst().offset())
                .isEqualTo((6 + 2 + 2) * 16 * 48);
        assertThat(ParameterLayout.of(TinyModels.llama("")).group(1, Role.OUTPUT_BIAS)).isEmpty();
    }

    @Test
    void whatIsNoGroupIsRefused() {
        assertThatThrownBy(() -> layout.group(0, Role.QUERY, Role.VALUE))
                .hasMessageContaining("are not neighbours");
        assertThatThrownBy(() -> layout.group(0, Role.KEY, Role.QUERY))
                .hasMessageContaining("are not neighbours");
        // neighbours, but of other widths
        assertThatThrownBy(() -> layout.group(0, Role.UP, Role.DOWN))
                .hasMessageContaining("are not neighbours");
        assertThatThrownBy(() -> layout.group(0, Role.QUERY, Role.HEAD))
                .hasMessageContaining("some of [QUERY, HEAD] only");
    }
}
