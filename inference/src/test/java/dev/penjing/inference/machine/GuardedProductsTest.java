package dev.penjing.inference.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Random products beside every garbage collector, in a process of their own: see [Guarded].
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class GuardedProductsTest {
    @ParameterizedTest
    @CsvSource({"UseSerialGC, 1", "UseParallelGC, 2", "UseG1GC, 3", "UseZGC, 4"})
    void nothingOutsideIsTouched(String collector, int seed) throws Exception {
        Process process =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "-XX:+" + collector,
                                        "-Xmx256m",
                                        "--enable-native-access=ALL-UNNAMED",
                                        "--add-modules=jdk.incubator.vector",
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        Guarded.class.getName(),
                                        "2",
                                        "" + seed))
                        .redirectErrorStream(true)
                        .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).containsPattern("products: \\d+");
    }
}
