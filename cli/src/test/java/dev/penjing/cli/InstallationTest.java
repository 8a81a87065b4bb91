package dev.penjing.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstallationTest {
    @TempDir Path home;

    @Test
    void whatIsNotThereSaysWhatToDo() {
        Installation nothing = new Installation(home);
        assertThatThrownBy(nothing::sandbox)
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("'./penjing sandbox'")
                .hasMessageContaining(home.toString());
        assertThatThrownBy(nothing::teacher)
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("./penjing");
        assertThat(nothing.buildsItself()).isFalse();
    }

    @Test
    void aSourceTreeAndAPackage() throws IOException {
        write("sandbox/target/classes/dev/penjing/sandbox/Main.class");
        // compiled, but without its libraries
        assertThatThrownBy(() -> new Installation(home).sandbox())
                .isInstanceOf(PenjingException.class);
        Files.createDirectories(home.resolve("sandbox/target/app"));
        Installation.SandboxFiles built = new Installation(home).sandbox();
        assertThat(built.classPath())
                .isEqualTo(
                        home.resolve("sandbox/target/classes")
                                + File.pathSeparator
                                + home.resolve("sandbox/target/app")
                                + "/*");
        assertThat(built.library()).isEqualTo(home.resolve("sandbox/target/python"));
        write("share/teacher/config.json");
        assertThat(new Installation(home).teacher()).isEqualTo(home.resolve("share/teacher"));
        Files.createDirectories(home.resolve("lib/sandbox"));
        Installation.SandboxFiles packaged = new Installation(home).sandbox();
        assertThat(packaged.classPath()).isEqualTo(home.resolve("lib/sandbox") + "/*");
        // a package may lie where nobody can write
        assertThat(packaged.library().startsWith(home)).isFalse();
        write("teacher/config.json");
        assertThat(new Installation(home).teacher()).isEqualTo(home.resolve("teacher"));
    }

    private void write(String file) throws IOException {
        Path path = home.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, "{}");
    }
}
