package dev.penjing.model.files;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.UUID;

/// A file that is written aside, under a name that no other process has, and moved into place when
/// it is complete. Readers see the old file or the new one, after a power cut too: the data is
/// forced to the disk before the move, and the folder after it.
///
/// Closing without [#commit] removes what was written. Not thread-safe.
public final class AtomicFile implements AutoCloseable {
    private final Path file;
    private final Path folder;
    private final Path aside;
    private final Storage storage;
    private boolean committed;

    /// What a file system promises, so that a test can count it.
    interface Storage {
        /// Returns when the file's data, or the folder's names, are on the disk.
        void force(Path path) throws IOException;

        void move(Path from, Path to) throws IOException;
    }

    enum Disk implements Storage {
        REAL;

        @Override
        public void force(Path path) throws IOException {
            boolean folder = Files.isDirectory(path);
            boolean ours = !folder && Files.isWritable(path); // a link may lead to another's file
            StandardOpenOption how = ours ? StandardOpenOption.WRITE : StandardOpenOption.READ;
            try (FileChannel channel = FileChannel.open(path, how)) {
                channel.force(true);
            } catch (IOException e) {
                // Windows opens no folders; its journal orders the names
                if (!folder) {
                    throw e;
                }
            }
        }

        @Override
        public void move(Path from, Path to) throws IOException {
            try {
                Files.move(
                        from,
                        to,
                        StandardCopyOption.ATOMIC_MOVE,
                        StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    AtomicFile(Path file, Storage storage) {
        this.file = file.toAbsolutePath();
        this.folder = Objects.requireNonNull(this.file.getParent(), "the root is no file");
        this.storage = storage;
        try {
            Files.createDirectories(folder);
            aside = folder.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".partial");
            Files.createFile(aside); // not a temporary file, which others could not read
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /// @throws PenjingException if the folder cannot be written to
    public static AtomicFile create(Path file) {
        return new AtomicFile(file, Disk.REAL);
    }

    /// Writes the whole of a small text file, in UTF-8.
    public static void write(Path file, String text) {
        write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    /// Writes the whole of a small file.
    public static void write(Path file, byte[] bytes) {
        try (AtomicFile out = create(file)) {
            Files.write(out.aside, bytes);
            out.commit();
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /// Puts a file in place that is whole already, such as a download that was resumed: forced,
    /// moved, and its new name forced. What was in place before is replaced.
    ///
    /// @param whole closed, in a folder of the same file system
    /// @throws IOException if the disk refuses
    public static void putInPlace(Path whole, Path file) throws IOException {
        putInPlace(whole, file, Disk.REAL);
    }

    static void putInPlace(Path whole, Path file, Storage storage) throws IOException {
        storage.force(whole);
        storage.move(whole, file);
        storage.force(
                Objects.requireNonNull(file.toAbsolutePath().getParent(), "the root is no file"));
    }

    /// Where the content goes until it is complete: an empty file in the same folder.
    public Path aside() {
        return aside;
    }

    /// Puts the file in place. Whatever was written to [#aside] must be closed or flushed.
    ///
    /// @throws PenjingException if the disk refuses; what was in place before is then still there
    public void commit() {
        try {
            storage.force(aside);
            storage.move(aside, file);
            committed = true;
            storage.force(folder);
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    @Override
    public void close() {
        if (committed) {
            return;
        }
        try {
            Files.deleteIfExists(aside);
        } catch (IOException e) {
            throw failed(aside, e);
        }
    }

    private static PenjingException failed(Path file, IOException e) {
        return new PenjingException(
                "cannot write " + file + ": " + e.getMessage() + "; is there room on the disk?", e);
    }
}
