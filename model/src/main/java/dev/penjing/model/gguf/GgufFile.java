package dev.penjing.model.gguf;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.files.Unreadable;
import dev.penjing.model.quantization.BlockType;
import dev.penjing.model.quantization.Dequantizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A GGUF file (versions 2 and 3), memory-mapped: metadata, and tensors of quantised blocks.
///
/// Every length is checked against the file before anything of that size is made.
public final class GgufFile implements AutoCloseable {
    private static final int MAGIC = 0x46554747; // "GGUF"
    private static final int MOST_DIMENSIONS = 4;
    private static final int DEPTH = 4;

    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// @param shape rows first, as everywhere else here (the file has columns first)
    public record Tensor(String name, BlockType type, long[] shape, MemorySegment data) {
        /// All weights as float32, in row-major order.
        ///
        /// @throws PenjingException if they are too many for an array
        public float[] toFloats() {
            return floats(0, data.byteSize());
        }

        /// The weights of `bytes` bytes of whole blocks, from byte `at` on.
        ///
        /// @throws PenjingException if they are too many for an array
        public float[] floats(long at, long bytes) {
            long weights = bytes / type.bytes() * type.weights();
            if (weights > Integer.MAX_VALUE - 8) {
                throw new PenjingException(
                        "the tensor %s holds %d weights, more than one array can: models with such tensors are not supported"
                                .formatted(name, weights));
            }
            return Dequantizer.floats(type, data.asSlice(at, bytes));
        }
    }

    private final Path path;
    private final Arena arena;
    private final MemorySegment file;
    private final Map<String, Object> metadata = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private long at;

    private GgufFile(Path path, Arena arena, MemorySegment file) {
        this.path = path;
        this.arena = arena;
        this.file = file;
    }

    /// @throws PenjingException if the file cannot be read, is damaged, or stores weights in a type
    ///   that is not known
    public static GgufFile open(Path path) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path)) {
            MemorySegment data =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            GgufFile gguf = new GgufFile(path, arena, data);
            gguf.read();
            return gguf;
        } catch (IOException e) {
            arena.close();
            throw Unreadable.file(path, "a .gguf file", e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    private void read() {
        if (file.byteSize() < 24 || nextInt() != MAGIC) {
            throw damaged("it does not begin with GGUF");
        }
        int version = nextInt();
        if (version != 0 && (version & 0xffff) == 0) {
            throw new PenjingException(
                    "%s is written for big-endian machines: convert it to little-endian first"
                            .formatted(path));
        }
        if (version != 2 && version != 3) {
            throw damaged("its version is " + version + "; 2 and 3 can be read");
        }
        long tensorCount = count(nextLong(), 24, "tensors");
        long valueCount = count(nextLong(), 12, "metadata values");
        for (long i = 0; i < valueCount; i++) {
            String key = nextString();
            metadata.put(key, value(nextInt(), 0));
        }
        long pieces = number("split.count").orElse(1L);
        if (pieces > 1) {
            throw new PenjingException(
                    "%s is one of %d pieces of a file: join them first, by llama-gguf-split"
                            .formatted(path, pieces));
        }
        record Info(String name, long[] shape, int type, long offset) {}
        Info[] infos = new Info[(int) tensorCount];
        for (int i = 0; i < infos.length; i++) {
            String name = nextString();
            int dimensions = nextInt();
            if (dimensions < 1 || dimensions > MOST_DIMENSIONS) {
                throw damaged("the tensor " + name + " has " + dimensions + " dimensions");
            }
            long[] shape = new long[dimensions];
            for (int d = dimensions - 1; d >= 0; d--) {
                shape[d] = nextLong();
            }
            infos[i] = new Info(name, shape, nextInt(), nextLong());
        }
        long alignment = number("general.alignment").orElse(32L);
        if (alignment < 1 || alignment > 1 << 20) {
            throw damaged("its alignment is " + alignment);
        }
        long start = (at + alignment - 1) / alignment * alignment;
        for (Info info : infos) {
            BlockType type = BlockType.of(info.type(), info.name());
            long bytes = bytes(type, info.shape(), info.name());
            if (info.offset() < 0
                    || start > file.byteSize()
                    || info.offset() > file.byteSize() - start
                    || bytes > file.byteSize() - start - info.offset()) {
                throw damaged("the tensor " + info.name() + " lies outside of the file");
            }
            MemorySegment data = file.asSlice(start + info.offset(), bytes);
            if (tensors.put(info.name(), new Tensor(info.name(), type, info.shape(), data))
                    != null) {
                throw damaged("it holds the tensor " + info.name() + " twice");
            }
        }
    }

    private long bytes(BlockType type, long[] shape, String name) {
        long weights = 1;
        for (long extent : shape) {
            if (extent < 1 || weights > file.byteSize() * 8 / extent) {
                throw damaged("the tensor " + name + " has an impossible shape");
            }
            weights *= extent;
        }
        if (shape[shape.length - 1] % type.weights() != 0) {
            throw damaged("the rows of " + name + " are not whole blocks of " + type);
        }
        return weights / type.weights() * type.bytes();
    }

    private long count(long count, int leastBytes, String what) {
        if (count < 0 || count > (file.byteSize() - at) / leastBytes) {
            throw damaged("it claims " + count + " " + what);
        }
        return count;
    }

    private Object value(int type, int depth) {
        return switch (type) {
            case 0 -> nextByte() & 0xff;
            case 1 -> (int) nextByte();
            case 2 -> nextShort() & 0xffff;
            case 3 -> (int) nextShort();
            case 4 -> nextInt() & 0xffffffffL;
            case 5 -> nextInt();
            case 6 -> nextFloat();
            case 7 -> nextByte() != 0;
            case 8 -> nextString();
            case 9 -> array(depth);
            case 10, 11 -> nextLong();
            case 12 -> nextDouble();
            default -> throw damaged("a metadata value has the unknown type " + type);
        };
    }

    private Object array(int depth) {
        int type = nextInt();
        long declared = nextLong();
        int least =
                switch (type) {
                    case 0, 1, 7 -> 1;
                    case 2, 3 -> 2;
                    case 8, 10, 11, 12 -> 8;
                    default -> 4;
                };
        int count = (int) Math.min(Integer.MAX_VALUE - 8, count(declared, least, "array elements"));
        if (depth >= DEPTH) {
            throw damaged("its arrays are nested too deep");
        }
        switch (type) {
            case 8 -> {
                String[] strings = new String[count];
                for (int i = 0; i < count; i++) {
                    strings[i] = nextString();
                }
                return strings;
            }
            case 6 -> {
                float[] floats = new float[count];
                for (int i = 0; i < count; i++) {
                    floats[i] = nextFloat();
                }
                return floats;
            }
            case 4, 5 -> {
                int[] ints = new int[count];
                for (int i = 0; i < count; i++) {
                    ints[i] = nextInt();
                }
                return ints;
            }
            default -> {
                Object[] values = new Object[count];
                for (int i = 0; i < count; i++) {
                    values[i] = value(type, depth + 1);
                }
                return values;
            }
        }
    }

    private long advance(long bytes) {
        if (bytes < 0 || bytes > file.byteSize() - at) {
            throw damaged("it ends too early, at byte " + file.byteSize());
        }
        long before = at;
        at += bytes;
        return before;
    }

    private byte nextByte() {
        return file.get(ValueLayout.JAVA_BYTE, advance(1));
    }

    private short nextShort() {
        return file.get(SHORT, advance(2));
    }

    private int nextInt() {
        return file.get(INT, advance(4));
    }

    private long nextLong() {
        return file.get(LONG, advance(8));
    }

    private float nextFloat() {
        return file.get(FLOAT, advance(4));
    }

    private double nextDouble() {
        return file.get(DOUBLE, advance(8));
    }

    private String nextString() {
        long length = nextLong();
        long start = advance(length);
        if (length > 1 << 24) {
            throw damaged("it holds a text of " + length + " bytes");
        }
        return new String(
                file.asSlice(start, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    private PenjingException damaged(String what) {
        return new PenjingException(
                path + " is not a whole GGUF file: " + what + "; fetch it again");
    }

    /// Strings as `String`, numbers as `Number`, truths as `Boolean`, arrays as `String[]`,
    /// `float[]`, `int[]` or `Object[]`.
    public Map<String, Object> metadata() {
        return metadata;
    }

    public Optional<Long> number(String key) {
        return metadata.get(key) instanceof Number n
                ? Optional.of(n.longValue())
                : Optional.empty();
    }

    public Optional<String> text(String key) {
        return metadata.get(key) instanceof String s ? Optional.of(s) : Optional.empty();
    }

    public Set<String> names() {
        return tensors.keySet();
    }

    /// A tensor of a model; of one that holds several, its rows.
    ///
    /// @throws PenjingException if there is none, or it has other shapes than the model
    public Tensor tensor(TensorSpec spec) {
        Tensor whole = tensor(spec.ggufStored());
        if (!Arrays.equals(whole.shape(), spec.storedShape())) {
            throw new PenjingException(
                    "%s in the GGUF file has the shape %s, not %s: it is damaged, fetch it again"
                            .formatted(
                                    whole.name(),
                                    Arrays.toString(whole.shape()),
                                    Arrays.toString(spec.storedShape())));
        }
        if (spec.part().isEmpty()) {
            return whole;
        }
        long rowBytes = whole.data().byteSize() / whole.shape()[0];
        long from = spec.part().get().from();
        return new Tensor(
                whole.name(),
                whole.type(),
                spec.shape(),
                whole.data().asSlice(from * rowBytes, spec.shape()[0] * rowBytes));
    }

    /// @throws PenjingException if there is no tensor of this name
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new PenjingException(path + " holds no tensor " + name);
        }
        return tensor;
    }

    @Override
    public void close() {
        arena.close();
    }
}
