package dev.penjing.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.evaluation.code.Sandbox;
import dev.penjing.evaluation.code.SandboxLimits;
import java.io.BufferedReader;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Whoever asks may be killed: the processes that it started, and their folders, do not stay.
@Timeout(300)
class ParentTest {
    /// Says that its child is ready, and has it run something endless.
    static final class Parent {
        private Parent() {}

        public static void main(String[] args) {
            var limits = new SandboxLimits(Duration.ofMinutes(10), Duration.ofMinutes(10), 512, 1);
            try (var sandbox =
                    new Sandbox(
                            System.getProperty("java.class.path"), SandboxTest.LIBRARY, limits)) {
                System.out.println("ready " + sandbox.run("assert True").passed());
                sandbox.run("x = 3 ** (10 ** 9)");
            }
        }
    }

    @Test
    void childrenEndWithTheirParent(@TempDir Path folder) throws Exception {
        Process parent =
                new ProcessBuilder(
                                List.of(
                                        System.getProperty("java.home") + "/bin/java",
                                        "-Djava.io.tmpdir=" + folder,
                                        "-XX:TieredStopAtLevel=1",
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        Parent.class.getName()))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (BufferedReader out = parent.inputReader()) {
            assertThat(out.readLine()).isEqualTo("ready true");
            List<ProcessHandle> children = parent.children().toList();
            assertThat(children).hasSize(1).allMatch(ProcessHandle::isAlive);
            assertThat(folder.toFile().list()).hasSize(1);
            Thread.sleep(500);

            parent.destroyForcibly().waitFor();

            Instant last = Instant.now().plusSeconds(60);
            while (children.getFirst().isAlive() && Instant.now().isBefore(last)) {
                Thread.sleep(20);
            }
            assertThat(children.getFirst().isAlive()).isFalse();
            File[] left = folder.toFile().listFiles();
            assertThat(left).isEmpty();
        } finally {
            parent.destroyForcibly();
        }
    }
}
