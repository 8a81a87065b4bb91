package dev.penjing.compression.data;

import dev.penjing.model.files.AtomicFile;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.OptionalInt;

/// Writes the ids of a [TokenFile], one behind another.
final class TokenWriter implements AutoCloseable {
    private final DataOutputStream out;
    private long tokens;

    TokenWriter(AtomicFile file) throws IOException {
        OutputStream raw = Files.newOutputStream(file.aside());
        out = new DataOutputStream(new BufferedOutputStream(raw, 1 << 16));
    }

    void write(int id) {
        try {
            out.writeInt(Integer.reverseBytes(id));
            tokens++;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void write(OptionalInt id) {
        id.ifPresent(this::write);
    }

    long tokens() {
        return tokens;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
