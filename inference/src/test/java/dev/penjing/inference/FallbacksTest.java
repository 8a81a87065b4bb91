package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/// Where code cannot be written at run time, the engine works all the same, says so in a line, and
/// the JVM has nothing to warn of. Each case is a process of its own.
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class FallbacksTest {
    private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";
    private static final String VECTORS = "--add-modules=jdk.incubator.vector";

    private static String run(List<String> options, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx512m");
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(Describing.class.getName());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }

    @Test
    void withoutNativeAccess() throws Exception {
        for (List<String> options :
                List.of(List.of(VECTORS), List.of(VECTORS, "--illegal-native-access=deny"))) {
            assertThat(run(options))
                    .contains("engine: Vector API")
                    .contains("no code is written for this processor")
                    .contains("--enable-native-access=ALL-UNNAMED is missing")
                    .doesNotContain("restricted method");
        }
    }

    @Test
    void whereTheSystemForbidsNewCode() throws Exception {
        // the JVM's own code gets its memory before
        String code = "-XX:InitialCodeCacheSize=64m";
        List<String> options =
                List.of(
                        NATIVE,
                        VECTORS,
                        code,
                        "-XX:ReservedCodeCacheSize=64m",
                        "-XX:-SegmentedCodeCache");
        String said = run(options, "mdwe");
        assumeFalse(said.contains("unknown"), "Linux older than 6.3 cannot forbid it");
        assertThat(said)
                .contains("engine: Vector API")
                .contains("mprotect of code was refused, error 13");
    }

    @Test
    void byAProperty() throws Exception {
        assertThat(run(List.of(NATIVE, VECTORS, "-Dpenjing.kernels=vector")))
                .contains("engine: Vector API")
                .doesNotContain("no code is written");
        assertThat(run(List.of(NATIVE, VECTORS, "-Dpenjing.kernels=scalar")))
                .contains("engine: plain Java");
    }

    @Test
    void withoutTheVectorModule() throws Exception {
        assertThat(run(List.of())).contains("engine: plain Java").doesNotContain("restricted");
    }
}
