package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.api.Sampling;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DamagedFilesTest {
    @TempDir Path folder;

    private byte[] file() throws IOException {
        Path model = folder.resolve("model");
        TinyModel.write(model);
        GgufExport.run(model, folder.resolve("good.gguf"), FileType.Q4_0, Progress.NONE);
        return Files.readAllBytes(folder.resolve("good.gguf"));
    }

    private enum Damage {
        FLIPPED_BIT {
            @Override
            byte[] of(byte[] good, Random random) {
                byte[] bad = good.clone();
                bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
                return bad;
            }
        },
        /// Where counts and lengths are.
        FLIPPED_IN_HEADER {
            @Override
            byte[] of(byte[] good, Random random) {
                byte[] bad = good.clone();
                for (int i = 0; i < 3; i++) {
                    bad[random.nextInt(3000)] ^= (byte) (1 << random.nextInt(8));
                }
                return bad;
            }
        },
        HUGE_NUMBER {
            @Override
            byte[] of(byte[] good, Random random) {
                byte[] bad = good.clone();
                int at = random.nextInt(4000);
                Arrays.fill(bad, at, at + 8, (byte) (random.nextBoolean() ? 0xff : 0x7f));
                return bad;
            }
        },
        CUT_OFF {
            @Override
            byte[] of(byte[] good, Random random) {
                return Arrays.copyOf(good, random.nextInt(good.length));
            }
        };

        abstract byte[] of(byte[] good, Random random);
    }

    @ParameterizedTest
    @EnumSource
    void aDamagedFileIsAnErrorOrStillAModel(Damage damage) throws IOException {
        byte[] good = file();
        Random random = new Random(damage.ordinal());
        int refused = 0;
        for (int i = 0; i < 150; i++) {
            Path bad = folder.resolve("bad.gguf");
            Files.write(bad, damage.of(good, random));
            EngineOptions options =
                    new EngineOptions(1, java.util.Optional.empty(), 1 << 22, 2, 16);
            try (Engine engine = Engine.load(bad, options, Progress.NONE)) {
                engine.complete("the cat", 3, Sampling.GREEDY);
            } catch (PenjingException e) {
                assertThat(e.getMessage()).isNotBlank().doesNotContain("\n");
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(damage == Damage.FLIPPED_BIT ? 5 : 50);
    }

    @Test
    void whatIsNoModelIsRefused() throws IOException {
        Path empty = folder.resolve("empty.gguf");
        Files.write(empty, new byte[0]);
        for (Path path : new Path[] {empty, folder.resolve("nowhere"), folder}) {
            assertThatThrownBy(() -> Engine.load(path, EngineOptions.DEFAULT, Progress.NONE))
                    .isInstanceOf(PenjingException.class);
        }
    }
}
