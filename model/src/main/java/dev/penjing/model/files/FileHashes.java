package dev.penjing.model.files;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// SHA-256 of files, each read once in the life of the process for as long as it stays as it is: a
/// compression asks for the hash of its teacher's weights four times, and reading 16 GB takes
/// minutes. A file is taken for the same if its path, its number in the file system, its size and
/// its time of change are. Safe for use by many threads.
final class FileHashes {
    /// Smaller files are read again: that costs nothing.
    private static final long LARGE = 1 << 20;

    /// A file that was written less than this ago may be written once more without another time.
    private static final Duration SETTLED = Duration.ofSeconds(2);

    /// What tells whether a file has changed.
    private record State(Path path, String number, long size, Instant modified) {
        static State of(Path file) throws IOException {
            Path path = file.toRealPath();
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return new State(
                    path,
                    String.valueOf(attributes.fileKey()),
                    attributes.size(),
                    attributes.lastModifiedTime().toInstant());
        }

        boolean settled() {
            return modified.isBefore(Instant.now().minus(SETTLED));
        }
    }

    private static final Map<State, String> KNOWN = new ConcurrentHashMap<>();

    private FileHashes() {}

    /// The hash of a file's content, 64 hexadecimal digits.
    ///
    /// @throws PenjingException if the file cannot be read
    static String sha256(Path file) {
        try {
            State before = State.of(file);
            String known = KNOWN.get(before);
            if (known != null) {
                return known;
            }
            String hash = read(file);
            if (before.size() >= LARGE && before.settled() && State.of(file).equals(before)) {
                KNOWN.put(before, hash);
            }
            return hash;
        } catch (IOException e) {
            throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static String read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return Hashes.sha256(in);
        }
    }
}
