package dev.penjing.model.rows;

import com.github.luben.zstd.ZstdIOException;
import dev.penjing.model.PenjingException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.ZipException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.databind.node.ObjectNode;

/// The rows of a table in a file: JSON Lines, a JSON array, CSV, each also compressed by gzip or
/// zstd; Parquet.
public final class Rows {
    /// Takes rows one after another.
    public interface Sink {
        /// @return whether it wants more
        boolean row(ObjectNode row);
    }

    /// Says which row was broken.
    static final class BrokenException extends IOException {
        private static final long serialVersionUID = 1L;

        private final String what;

        BrokenException(String what) {
            super(what);
            this.what = what;
        }
    }

    private Rows() {}

    /// Reads rows until there are no more, or the sink has enough.
    ///
    /// @param columns the columns of a CSV file that has no header
    /// @return whether there was a row
    /// @throws PenjingException if the file cannot be read or is damaged, with its name and, where
    ///   that is known, the line
    public static boolean read(Path file, Optional<List<String>> columns, Sink sink) {
        return read(file, columns, sink, TextInput.Limits.usual());
    }

    /// Reads all rows of a file of any length, one of which is in memory at a time. A CSV file has
    /// a header.
    ///
    /// @throws PenjingException as `read`
    public static void readAll(Path file, Sink sink) {
        TextInput.Limits none = new TextInput.Limits(Long.MAX_VALUE, Integer.MAX_VALUE - 16);
        read(file, Optional.empty(), sink, none);
    }

    static boolean read(
            Path file, Optional<List<String>> columns, Sink sink, TextInput.Limits limits) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        Counting counting = new Counting(sink);
        try {
            if (!Files.isRegularFile(file)) {
                throw new PenjingException(
                        file
                                + " is no file (a folder, or a link that leads nowhere?): put the file there");
            }
            if (name.endsWith(".parquet")) {
                ParquetRows.read(file, counting, limits);
                return counting.rows > 0;
            }
            try (TextInput in = new TextInput(file, limits)) {
                String plain = Compressed.plainName(file);
                if (plain.endsWith(".csv")) {
                    CsvRows.read(in, columns, counting);
                } else {
                    JsonRows.read(in, plain.endsWith(".jsonl"), counting);
                }
            }
            return counting.rows > 0;
        } catch (IOException e) {
            throw failed(file, e);
        } catch (JacksonIOException e) {
            throw failed(
                    file, e.getCause() instanceof IOException cause ? cause : new IOException(e));
        } catch (JacksonException e) {
            throw broken(file, JsonRows.where(e) + JsonRows.what(e), e);
        }
    }

    private static final class Counting implements Sink {
        private final Sink sink;
        private long rows;

        Counting(Sink sink) {
            this.sink = sink;
        }

        @Override
        public boolean row(ObjectNode row) {
            rows++;
            return sink.row(row);
        }
    }

    private static PenjingException failed(Path file, IOException e) {
        return switch (e) {
            case BrokenException known -> broken(file, known.what, e);
            case CharacterCodingException coding -> broken(file, "it is not in UTF-8", e);
            case EOFException end -> broken(file, "it ends too early", e);
            case ZstdIOException zstd ->
                    broken(file, "it is not whole zstd: " + zstd.getMessage(), e);
            case ZipException zip -> broken(file, "it is not whole gzip: " + e.getMessage(), e);
            default ->
                    new PenjingException(
                            "cannot read %s (%s): mend its permissions, or the disk"
                                    .formatted(file, e.getMessage()),
                            e);
        };
    }

    private static PenjingException broken(Path file, String what, Exception e) {
        return new PenjingException("%s is damaged (%s): get it again".formatted(file, what), e);
    }
}
