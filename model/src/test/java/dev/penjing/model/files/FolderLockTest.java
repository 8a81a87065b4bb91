package dev.penjing.model.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {
    @TempDir Path folder;

    /// Takes a folder, says so, and keeps it until it is killed.
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws IOException {
            FolderLock lock = FolderLock.of(Path.of(arguments[0]));
            System.out.println("taken");
            System.out.flush();
            while (System.in.read() >= 0) {
                // until the parent lets go
            }
            lock.close();
        }
    }

    private static String at(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    }

    /// A killed process leaves its file and loses its lock.
    @Test
    void anotherProcessIsTurnedAwayUntilTheFirstIsGone() throws Exception {
        Process holder =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                at(FolderLock.class) + File.pathSeparator + at(Holder.class),
                                Holder.class.getName(),
                                folder.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (BufferedReader said = holder.inputReader()) {
            assertThat(said.readLine()).isEqualTo("taken");
            assertThatThrownBy(() -> FolderLock.of(folder))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("another run is at work in " + folder);
        } finally {
            holder.destroyForcibly().waitFor();
        }
        FolderLock.of(folder).close();
    }

    @Test
    void oneProcessHasAFolderOnceToo() {
        Path made = folder.resolve("a/b");
        try (FolderLock lock = FolderLock.of(made)) {
            assertThat(lock).isNotNull();
            assertThatThrownBy(() -> FolderLock.of(made)).hasMessageContaining("another run");
        }
        FolderLock.of(made).close();
    }
}
