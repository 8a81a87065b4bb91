package dev.penjing.model.safetensors;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.quantization.Bfloat16;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes the weights of a model tensor by tensor, in shards of at most a given size: only the
/// tensor at hand is in memory. [#finish] puts the files in place, the index last. Closed without
/// that, nothing is left behind. Weights of an earlier model in the folder are removed.
public final class SafetensorsWriter implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int BUFFER = 1 << 20;

    /// Elements that are written at once.
    private static final int PIECE = BUFFER / Float.BYTES;

    /// The most that a file of a model holds: hubs and file systems are at ease with it.
    private static final long SHARD_BYTES = 4L << 30;

    /// Names of a model's weights, and of their index.
    private static final Pattern WEIGHTS =
            Pattern.compile(
                    "model(-\\d{5}-of-\\d{5})?\\.safetensors|model\\.safetensors\\.index\\.json");

    private record Shard(String name, List<TensorHeader> tensors) {}

    private final Path directory;
    private final DType type;
    private final Map<String, String> metadata;
    private final List<Shard> shards = new ArrayList<>();
    private final List<AtomicFile> files = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    private int shard = -1;
    private int next;
    private long written;
    private @org.jspecify.annotations.Nullable FileChannel channel;

    /// For the weights of a model as transformers writes them: in shards of 4 GiB.
    ///
    /// @param tensors all of them, in the order in which they will come
    /// @param type F32, F16 or BF16
    /// @throws PenjingException if the folder cannot be written to
    public static SafetensorsWriter ofModel(Path directory, List<TensorSpec> tensors, DType type) {
        return new SafetensorsWriter(
                directory, TensorHeader.of(tensors), type, SHARD_BYTES, Map.of("format", "pt"));
    }

    /// @param tensors all of them, in the order in which they will come
    /// @param type F32, F16 or BF16
    /// @param shardBytes of a file, at most, unless one tensor is larger
    public SafetensorsWriter(
            Path directory,
            List<TensorHeader> tensors,
            DType type,
            long shardBytes,
            Map<String, String> metadata) {
        this.directory = directory;
        this.type = type;
        this.metadata = metadata;
        List<List<TensorHeader>> parts = new ArrayList<>();
        long size = Long.MAX_VALUE;
        for (TensorHeader tensor : tensors) {
            long bytes = tensor.size() * type.bytes();
            if (size > shardBytes - bytes) {
                parts.add(new ArrayList<>());
                size = 0;
            }
            parts.getLast().add(tensor);
            size += bytes;
        }
        for (int i = 0; i < parts.size(); i++) {
            String name =
                    parts.size() == 1
                            ? "model.safetensors"
                            : "model-%05d-of-%05d.safetensors".formatted(i + 1, parts.size());
            shards.add(new Shard(name, parts.get(i)));
        }
        try {
            nextShard();
        } catch (IOException e) {
            close();
            throw failed(e);
        }
    }

    private void nextShard() throws IOException {
        closeChannel();
        shard++;
        next = 0;
        files.add(AtomicFile.create(directory.resolve(shards.get(shard).name())));
        channel = FileChannel.open(files.getLast().aside(), StandardOpenOption.WRITE);
        header(channel, shards.get(shard).tensors(), type, metadata);
    }

    /// Elements of a tensor that is too large to be held whole.
    @FunctionalInterface
    public interface Elements {
        /// Sets the first `count` of `into` to the next ones.
        void next(float[] into, int count);
    }

    /// The next tensor of a model, or what of it that holds several is next.
    public void write(TensorSpec tensor, float[] values) {
        write(tensor.stored(), values, tensor.last());
    }

    /// The same, a piece at a time.
    public void write(TensorSpec tensor, Elements elements) {
        long size = tensor.size();
        float[] piece = new float[(int) Math.min(PIECE, size)];
        try {
            begin(tensor.stored(), size, tensor.last());
            for (long at = 0; at < size; at += PIECE) {
                int count = (int) Math.min(PIECE, size - at);
                elements.next(piece, count);
                put(piece, 0, count);
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// The next tensor, rounded to the type (to nearest, ties to even).
    public void write(String name, float[] values) {
        write(name, values, true);
    }

    private void write(String name, float[] values, boolean last) {
        try {
            begin(name, values.length, last);
            for (int at = 0; at < values.length; at += PIECE) {
                put(values, at, Math.min(PIECE, values.length - at));
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// @param size of what comes
    /// @param last whether the tensor ends with it
    private void begin(String name, long size, boolean last) throws IOException {
        if (next == shards.get(shard).tensors().size()) {
            nextShard();
        }
        TensorHeader expected = shards.get(shard).tensors().get(next);
        written += size;
        boolean fits = last ? written == expected.size() : written < expected.size();
        if (!expected.name().equals(name) || !fits) {
            throw new IllegalArgumentException(
                    "expected %s of %d elements, not %s of %d"
                            .formatted(expected.name(), expected.size(), name, written));
        }
        if (last) {
            next++;
            written = 0;
        }
    }

    /// @param count at most [#PIECE]
    private void put(float[] values, int from, int count) throws IOException {
        buffer.clear();
        for (int i = from; i < from + count; i++) {
            switch (type) {
                case F32 -> buffer.putFloat(values[i]);
                case F16 -> buffer.putShort(Float.floatToFloat16(values[i]));
                case BF16 -> buffer.putShort(Bfloat16.bits(values[i]));
                default -> throw new IllegalArgumentException("weights as " + type);
            }
        }
        writeAll(java.util.Objects.requireNonNull(channel), buffer.flip());
    }

    /// Puts the files in place. Every tensor must have come.
    ///
    /// @throws PenjingException if the disk refuses
    public void finish() {
        if (shard != shards.size() - 1 || next != shards.get(shard).tensors().size()) {
            throw new IllegalStateException("some tensors were not written");
        }
        try {
            closeChannel();
            long total = 0;
            ObjectNode index = JSON.createObjectNode();
            ObjectNode map = JSON.createObjectNode();
            for (Shard part : shards) {
                for (TensorHeader tensor : part.tensors()) {
                    map.put(tensor.name(), part.name());
                    total += tensor.size() * type.bytes();
                }
            }
            files.forEach(AtomicFile::commit);
            removeOthers();
            if (shards.size() > 1) {
                index.putObject("metadata").put("total_size", total);
                index.set("weight_map", map);
                AtomicFile.write(
                        directory.resolve("model.safetensors.index.json"), index.toPrettyString());
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// Removes weights that an earlier model left in the folder: a single file would be read rather
    /// than the new shards.
    private void removeOthers() throws IOException {
        Set<String> ours = shards.stream().map(Shard::name).collect(Collectors.toSet());
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path file : entries.toList()) {
                String name = file.getFileName().toString();
                if (WEIGHTS.matcher(name).matches() && !ours.contains(name)) {
                    Files.delete(file);
                }
            }
        }
    }

    private void closeChannel() throws IOException {
        if (channel != null) {
            channel.close();
            channel = null;
        }
    }

    @Override
    public void close() {
        try {
            closeChannel();
        } catch (IOException e) {
            throw failed(e);
        } finally {
            files.forEach(AtomicFile::close);
        }
    }

    private PenjingException failed(IOException e) {
        return new PenjingException(
                "cannot write the weights to " + directory + ": " + e.getMessage(), e);
    }

    /// One file of float32 vectors.
    public static void writeFile(
            Path file, Map<String, float[]> tensors, Map<String, String> metadata) {
        Map<String, MemorySegment> segments = new java.util.LinkedHashMap<>();
        tensors.forEach((name, values) -> segments.put(name, MemorySegment.ofArray(values)));
        writeFloats(file, segments, metadata);
    }

    /// One file of float32 vectors, from native memory as it is (little-endian machines).
    public static void writeFloats(
            Path file, Map<String, MemorySegment> tensors, Map<String, String> metadata) {
        try (AtomicFile whole = AtomicFile.create(file)) {
            try (FileChannel out = FileChannel.open(whole.aside(), StandardOpenOption.WRITE)) {
                List<TensorHeader> specs = new ArrayList<>();
                tensors.forEach((n, data) -> specs.add(new TensorHeader(n, data.byteSize() / 4)));
                header(out, specs, DType.F32, metadata);
                ByteBuffer piece = ByteBuffer.allocate(BUFFER);
                for (MemorySegment data : tensors.values()) {
                    for (long at = 0; at < data.byteSize(); at += BUFFER) {
                        int count = (int) Math.min(BUFFER, data.byteSize() - at);
                        piece.clear();
                        MemorySegment.ofBuffer(piece).copyFrom(data.asSlice(at, count));
                        writeAll(out, piece.limit(count));
                    }
                }
            }
            whole.commit();
        } catch (IOException e) {
            throw new PenjingException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    private static void header(
            FileChannel channel,
            List<TensorHeader> tensors,
            DType type,
            Map<String, String> metadata)
            throws IOException {
        ObjectNode header = JSON.createObjectNode();
        ObjectNode notes = header.putObject("__metadata__");
        metadata.forEach(notes::put);
        long offset = 0;
        for (TensorHeader tensor : tensors) {
            ObjectNode json = header.putObject(tensor.name());
            json.put("dtype", type.name());
            ArrayNode shape = json.putArray("shape");
            for (long extent : tensor.shape()) {
                shape.add(extent);
            }
            ArrayNode offsets = json.putArray("data_offsets");
            offsets.add(offset);
            offset += tensor.size() * type.bytes();
            offsets.add(offset);
        }
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        int padded = (text.length + 7) / 8 * 8;
        ByteBuffer bytes = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(padded).put(text);
        while (bytes.hasRemaining()) {
            bytes.put((byte) ' ');
        }
        writeAll(channel, bytes.flip());
    }

    private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
