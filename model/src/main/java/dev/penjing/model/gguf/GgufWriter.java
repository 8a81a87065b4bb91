package dev.penjing.model.gguf;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.quantization.BlockType;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Writes a GGUF file (version 3), tensor by tensor; it is in place when [#finish] returns.
final class GgufWriter implements AutoCloseable {
    private static final int ALIGNMENT = 32;

    /// @param shape rows first
    record Entry(String name, BlockType type, long[] shape) {
        long bytes() {
            long weights = 1;
            for (long extent : shape) {
                weights = Math.multiplyExact(weights, extent);
            }
            return weights / type.weights() * type.bytes();
        }
    }

    private final Path path;
    private final AtomicFile file;
    private final OutputStream out;
    private final List<Entry> entries;
    private int entry;
    private long begin;
    private long at;

    /// Writes all but the tensors' data.
    ///
    /// @param metadata values are `String`, `Integer` (unsigned), `Float`, `Boolean`, `String[]`,
    ///   `float[]` or `int[]`
    /// @param entries in the order in which their data will come
    ///
    /// @throws PenjingException if the disk refuses
    GgufWriter(Path path, Map<String, Object> metadata, List<Entry> entries) {
        byte[] header = header(metadata, entries);
        this.path = path;
        this.entries = List.copyOf(entries);
        this.file = AtomicFile.create(path);
        try {
            out = new BufferedOutputStream(Files.newOutputStream(file.aside()), 1 << 20);
            try {
                write(header);
                pad();
            } catch (PenjingException e) {
                out.close();
                throw e;
            }
        } catch (IOException e) {
            file.close();
            throw failed(e);
        } catch (PenjingException e) {
            file.close();
            throw e;
        }
    }

    private static byte[] header(Map<String, Object> metadata, List<Entry> entries) {
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        header.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        header.writeBytes(ints(3));
        header.writeBytes(longs(entries.size()));
        header.writeBytes(longs(metadata.size()));
        metadata.forEach((key, value) -> {
            header.writeBytes(string(key));
            value(header, value);
        });
        long offset = 0;
        for (Entry entry : entries) {
            header.writeBytes(string(entry.name()));
            header.writeBytes(ints(entry.shape().length));
            for (int d = entry.shape().length - 1; d >= 0; d--) {
                header.writeBytes(longs(entry.shape()[d]));
            }
            header.writeBytes(ints(entry.type().code()));
            header.writeBytes(longs(offset));
            offset += Math.ceilDiv(entry.bytes(), ALIGNMENT) * ALIGNMENT;
        }
        return header.toByteArray();
    }

    private static void value(ByteArrayOutputStream out, Object value) {
        switch (value) {
            case Integer i -> {
                out.writeBytes(ints(4));
                out.writeBytes(ints(i));
            }
            case Float f -> {
                out.writeBytes(ints(6));
                out.writeBytes(ints(Float.floatToIntBits(f)));
            }
            case Boolean b -> {
                out.writeBytes(ints(7));
                out.write(b ? 1 : 0);
            }
            case String s -> {
                out.writeBytes(ints(8));
                out.writeBytes(string(s));
            }
            case String[] all -> {
                out.writeBytes(ints(9, 8));
                out.writeBytes(longs(all.length));
                for (String s : all) {
                    out.writeBytes(string(s));
                }
            }
            case float[] all -> {
                out.writeBytes(ints(9, 6));
                out.writeBytes(longs(all.length));
                for (float f : all) {
                    out.writeBytes(ints(Float.floatToIntBits(f)));
                }
            }
            case boolean[] all -> {
                out.writeBytes(ints(9, 7));
                out.writeBytes(longs(all.length));
                for (boolean b : all) {
                    out.write(b ? 1 : 0);
                }
            }
            case int[] all -> {
                out.writeBytes(ints(9, 5));
                out.writeBytes(longs(all.length));
                out.writeBytes(ints(all));
            }
            default -> throw new IllegalArgumentException("no metadata: " + value.getClass());
        }
    }

    private static byte[] ints(int... values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asIntBuffer().put(values);
        return buffer.array();
    }

    private static byte[] longs(long value) {
        return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    }

    private static byte[] string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + bytes.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(bytes.length)
                .put(bytes)
                .array();
    }

    /// The next bytes of the current tensor.
    void write(byte[] bytes) {
        try {
            out.write(bytes);
            at += bytes.length;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// Ends a tensor.
    ///
    /// @throws IllegalStateException if it has another length than was said of it: all tensors
    ///   behind it would lie at other places
    void align() {
        Entry ended = entries.get(entry++);
        if (at - begin != ended.bytes()) {
            throw new IllegalStateException(
                    "%s has %d bytes and was to have %d"
                            .formatted(ended.name(), at - begin, ended.bytes()));
        }
        pad();
    }

    private void pad() {
        write(new byte[(int) (Math.ceilDiv(at, ALIGNMENT) * ALIGNMENT - at)]);
        begin = at;
    }

    /// Puts the file in place.
    void finish() {
        try {
            out.close();
            file.commit();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private PenjingException failed(IOException e) {
        return new PenjingException("cannot write " + path + ": " + e.getMessage(), e);
    }

    /// Removes what was not finished.
    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            // it is removed anyway
        }
        file.close();
    }
}
