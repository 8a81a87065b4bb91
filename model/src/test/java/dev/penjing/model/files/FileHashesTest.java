package dev.penjing.model.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileHashesTest {
    private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));

    @TempDir Path folder;

    private Path file(String name, int bytes, int value) throws IOException {
        byte[] content = new byte[bytes];
        Arrays.fill(content, (byte) value);
        Path file = folder.resolve(name);
        Files.write(file, content);
        Files.setLastModifiedTime(file, LONG_AGO);
        return file;
    }

    @Test
    void isTheHashOfTheContent() throws IOException {
        Path file = Files.writeString(folder.resolve("abc"), "abc");
        assertThat(FileHashes.sha256(file))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assertThatThrownBy(() -> FileHashes.sha256(folder.resolve("nowhere")))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("nowhere");
    }

    /// The content is changed behind its back, and everything that tells of a change put back.
    @Test
    void aLargeFileThatStaysAsItIsIsReadOnce() throws IOException {
        String first = FileHashes.sha256(file("weights", 2 << 20, 1));
        assertThat(FileHashes.sha256(file("weights", 2 << 20, 2))).isEqualTo(first);
    }

    @Test
    void aFileThatHasChangedIsReadAgain() throws IOException {
        Path file = file("weights", 2 << 20, 1);
        String first = FileHashes.sha256(file);
        Files.setLastModifiedTime(
                file("weights", 2 << 20, 2), FileTime.from(Instant.parse("2021-01-01T00:00:00Z")));
        String second = FileHashes.sha256(file);
        assertThat(second).isNotEqualTo(first);
        // another file in its place, as old and as large
        Files.move(file, folder.resolve("aside"));
        assertThat(FileHashes.sha256(file("weights", 2 << 20, 3))).isNotIn(first, second);
        assertThat(FileHashes.sha256(file("weights", 3 << 20, 1))).isNotIn(first, second);
    }

    /// The clock of a file system is coarse: what was just written may be written again.
    @Test
    void aYoungOrSmallFileIsNotRemembered() throws IOException {
        Path young = file("young", 2 << 20, 1);
        FileTime soon = FileTime.from(Instant.now().plusSeconds(3600));
        Files.setLastModifiedTime(young, soon);
        String first = FileHashes.sha256(young);
        file("young", 2 << 20, 2);
        Files.setLastModifiedTime(young, soon);
        assertThat(FileHashes.sha256(young)).isNotEqualTo(first);
        String small = FileHashes.sha256(file("small", 100, 1));
        assertThat(FileHashes.sha256(file("small", 100, 2))).isNotEqualTo(small);
    }
}
