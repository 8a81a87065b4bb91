package dev.penjing.model.rows;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/// Files that may be compressed by gzip or zstd, whether their names say so or not.
public enum Compressed {
    GZIP(".gz", 0x1F, 0x8B),
    ZSTD(".zst", 0x28, 0xB5, 0x2F, 0xFD);

    private static final int BUFFER = 1 << 16;

    private final String ending;
    private final byte[] start;

    Compressed(String ending, int... start) {
        this.ending = ending;
        this.start = new byte[start.length];
        for (int i = 0; i < start.length; i++) {
            this.start[i] = (byte) start[i];
        }
    }

    /// What the file holds, decompressed. By its name, or else by how it begins.
    ///
    /// @throws IOException if it cannot be read, or is not what its name says
    public static InputStream open(Path file) throws IOException {
        InputStream raw = new BufferedInputStream(Files.newInputStream(file), BUFFER);
        try {
            String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
            for (Compressed kind : values()) {
                if (name.endsWith(kind.ending) || kind.begins(raw)) {
                    return kind.decompressed(raw);
                }
            }
            return raw;
        } catch (IOException | RuntimeException e) {
            raw.close();
            throw e;
        }
    }

    private boolean begins(InputStream raw) throws IOException {
        raw.mark(start.length);
        boolean same = Arrays.equals(raw.readNBytes(start.length), start);
        raw.reset();
        return same;
    }

    private InputStream decompressed(InputStream raw) throws IOException {
        return switch (this) {
            case GZIP -> new GZIPInputStream(raw, BUFFER);
            case ZSTD -> new ZstdInputStream(raw);
        };
    }

    /// A file's name in small letters, without the ending that says how it is compressed.
    public static String plainName(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        for (Compressed kind : values()) {
            if (name.endsWith(kind.ending)) {
                return name.substring(0, name.length() - kind.ending.length());
            }
        }
        return name;
    }
}
