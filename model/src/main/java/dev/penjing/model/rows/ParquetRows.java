package dev.penjing.model.rows;

import dev.hardwood.InputFile;
import dev.hardwood.metadata.CompressionCodec;
import dev.hardwood.metadata.FileMetaData;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.row.PqList;
import dev.hardwood.row.PqMap;
import dev.hardwood.row.PqStruct;
import dev.hardwood.row.StructAccessor;
import dev.penjing.model.PenjingException;
import java.io.EOFException;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Rows in Parquet, as JSON has them: a list is an array, a struct an object.
final class ParquetRows {
    private static final Set<CompressionCodec> CODECS =
            EnumSet.of(
                    CompressionCodec.UNCOMPRESSED,
                    CompressionCodec.SNAPPY,
                    CompressionCodec.GZIP,
                    CompressionCodec.ZSTD);
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /// The library tells of its choices at level INFO, which would be in the way of the progress.
    private static final Logger LIBRARY = Logger.getLogger("dev.hardwood");

    static {
        LIBRARY.setLevel(Level.WARNING);
    }

    private ParquetRows() {}

    static void read(Path file, Rows.Sink sink, TextInput.Limits limits) throws IOException {
        if (Files.size(file) > limits.bytes()) {
            throw new Rows.BrokenException(
                    "it holds more than %,d bytes".formatted(limits.bytes()));
        }
        try (InputFile input = new Ranges(file);
                ParquetFileReader reader = ParquetFileReader.open(input)) {
            FileMetaData about = reader.getFileMetaData();
            requireReadable(file, about);
            rows(reader, about.numRows(), sink);
        } catch (PenjingException e) {
            throw e;
        } catch (RuntimeException | IOException e) {
            // the library has no exception of its own for what is no Parquet
            throw new Rows.BrokenException(reason(e));
        }
    }

    private static void requireReadable(Path file, FileMetaData about) {
        about.rowGroups().stream()
                .flatMap(group -> group.columns().stream())
                .map(column -> column.metaData().codec())
                .filter(codec -> !CODECS.contains(codec))
                .findFirst()
                .ifPresent(codec -> {
                    throw new PenjingException(
                            "%s is compressed by %s, which is not read here: write it anew, compressed by zstd or snappy"
                                    .formatted(file, codec));
                });
    }

    /// The first cause says most.
    private static String reason(Throwable e) {
        Throwable first = e;
        for (int i = 0; i < 10 && first.getCause() != null; i++) {
            first = first.getCause();
        }
        return Optional.ofNullable(first.getMessage())
                .flatMap(m -> m.lines().findFirst())
                .orElse(first.getClass().getSimpleName());
    }

    private static void rows(ParquetFileReader reader, long expected, Rows.Sink sink)
            throws Rows.BrokenException {
        try (RowReader rows = reader.rowReader()) {
            boolean more = true;
            long count = 0;
            for (; more && rows.hasNext(); count++) {
                rows.next();
                more = sink.row(object(rows));
            }
            if (more && count != expected) {
                throw new Rows.BrokenException(
                        "it should hold %d rows and holds %d".formatted(expected, count));
            }
        }
    }

    private static ObjectNode object(StructAccessor struct) {
        ObjectNode object = NODES.objectNode();
        for (int i = 0; i < struct.getFieldCount(); i++) {
            object.set(struct.getFieldName(i), node(struct.getValue(i)));
        }
        return object;
    }

    private static JsonNode node(@Nullable Object value) {
        return switch (value) {
            case null -> NODES.nullNode();
            case String s -> NODES.stringNode(s);
            case Boolean b -> NODES.booleanNode(b);
            case Byte b -> NODES.numberNode(b.intValue());
            case Short s -> NODES.numberNode(s.intValue());
            case Integer i -> NODES.numberNode(i);
            case Long l -> NODES.numberNode(l);
            case Float f -> NODES.numberNode(f);
            case Double d -> NODES.numberNode(d);
            case BigDecimal d -> NODES.numberNode(d);
            case byte[] bytes -> NODES.binaryNode(bytes);
            case PqStruct struct -> object(struct);
            case PqList list -> {
                ArrayNode array = NODES.arrayNode(list.size());
                for (int i = 0; i < list.size(); i++) {
                    array.add(node(list.get(i)));
                }
                yield array;
            }
            case PqMap map -> {
                ObjectNode object = NODES.objectNode();
                for (PqMap.Entry entry : map.getEntries()) {
                    object.set(String.valueOf(entry.getKey()), node(entry.getValue()));
                }
                yield object;
            }
            default -> NODES.stringNode(value.toString()); // dates and times as ISO 8601
        };
    }

    /// Reads where the library would map: a file that is cut short while it is mapped ends the
    /// process.
    private static final class Ranges implements InputFile {
        private final Path file;
        private final FileChannel channel;

        Ranges(Path file) throws IOException {
            this.file = file;
            this.channel = FileChannel.open(file);
        }

        @Override
        public void open() {}

        @Override
        public ByteBuffer readRange(long offset, int length) throws IOException {
            // of a damaged page the library asks for the rest of a chunk that has none, for ever
            if (length <= 0 || offset < 0 || offset + length > channel.size()) {
                throw new IOException("a page is longer than its column");
            }
            ByteBuffer bytes = ByteBuffer.allocateDirect(length);
            while (bytes.hasRemaining()) {
                if (channel.read(bytes, offset + bytes.position()) < 0) {
                    throw new EOFException();
                }
            }
            return bytes.flip();
        }

        @Override
        public long length() throws IOException {
            return channel.size();
        }

        @Override
        public String name() {
            return file.getFileName().toString();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
