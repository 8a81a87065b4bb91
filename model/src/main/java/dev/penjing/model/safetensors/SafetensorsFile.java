package dev.penjing.model.safetensors;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.files.Unreadable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// One safetensors file, memory-mapped: eight bytes of header length, a JSON header, the data.
///
/// The header is checked whole before any tensor is given out: lengths, shapes and offsets fit the
/// file and one another, without gap or overlap.
public final class SafetensorsFile implements AutoCloseable {
    private static final long LARGEST_HEADER = 100_000_000;
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
    private static final ValueLayout.OfLong LENGTH =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final Arena arena;
    private final Map<String, TensorView> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    private SafetensorsFile(Path path, Arena arena) {
        this.path = path;
        this.arena = arena;
    }

    /// @throws PenjingException if the file cannot be read or is damaged
    public static SafetensorsFile open(Path path) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path)) {
            SafetensorsFile file = new SafetensorsFile(path, arena);
            file.read(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
            return file;
        } catch (IOException e) {
            arena.close();
            throw Unreadable.file(path, "a .safetensors file", e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    private void read(MemorySegment file) {
        if (file.byteSize() < 8) {
            throw damaged("it is too short to have a header");
        }
        long length = file.get(LENGTH, 0);
        if (length < 2 || length > LARGEST_HEADER || length > file.byteSize() - 8) {
            throw damaged("its header claims %d bytes of %d".formatted(length, file.byteSize()));
        }
        MemorySegment data = file.asSlice(8 + length);
        byte[] text = file.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
        JsonNode header;
        try {
            header = JSON.readTree(new String(text, StandardCharsets.UTF_8));
        } catch (JacksonException e) {
            throw damaged("its header is not JSON: " + JsonText.reason(e));
        }
        if (!(header instanceof ObjectNode object)) {
            throw damaged("its header is not a JSON object");
        }
        List<long[]> extents = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            if (entry.getKey().equals("__metadata__")) {
                entry.getValue()
                        .properties()
                        .forEach(e -> metadata.put(e.getKey(), e.getValue().asString("")));
            } else {
                extents.add(tensor(entry.getKey(), entry.getValue(), data));
            }
        }
        requireSeamless(extents, data.byteSize());
    }

    /// @return where the tensor begins and ends
    private long[] tensor(String name, JsonNode json, MemorySegment data) {
        DType type;
        try {
            type = DType.valueOf(json.path("dtype").asString(""));
        } catch (IllegalArgumentException e) {
            throw new PenjingException(
                    "%s: the tensor %s has the unknown type %s; convert the weights to BF16, F16 or F32"
                            .formatted(path, name, json.path("dtype").asString("")));
        }
        JsonNode dimensions = json.path("shape");
        JsonNode offsets = json.path("data_offsets");
        if (!dimensions.isArray() || !offsets.isArray() || offsets.size() != 2) {
            throw damaged("the tensor " + name + " has no shape or no offsets");
        }
        long[] shape = new long[dimensions.size()];
        long bytes = type.bytes();
        for (int i = 0; i < shape.length; i++) {
            shape[i] = dimensions.get(i).isIntegralNumber() ? dimensions.get(i).asLong(-1) : -1;
            if (shape[i] < 0 || shape[i] > 0 && bytes > Long.MAX_VALUE / shape[i]) {
                throw damaged("the tensor " + name + " has the impossible shape " + dimensions);
            }
            bytes *= shape[i];
        }
        long from = offsets.get(0).asLong(-1);
        long to = offsets.get(1).asLong(-1);
        if (from < 0 || to < from || to > data.byteSize()) {
            throw damaged(
                    "the tensor %s lies at %s, outside of the %d bytes of data"
                            .formatted(name, offsets, data.byteSize()));
        }
        if (to - from != bytes) {
            throw damaged(
                    "the tensor %s of shape %s takes %d bytes, not %d"
                            .formatted(name, dimensions, bytes, to - from));
        }
        tensors.put(name, new TensorView(name, type, shape, data.asSlice(from, bytes)));
        return new long[] {from, to};
    }

    private void requireSeamless(List<long[]> extents, long size) {
        extents.sort(Comparator.comparingLong((long[] e) -> e[0]).thenComparingLong(e -> e[1]));
        long at = 0;
        for (long[] extent : extents) {
            if (extent[0] != at) {
                throw damaged("its tensors overlap or leave a gap at byte " + extent[0]);
            }
            at = extent[1];
        }
        if (at != size) {
            throw damaged("%d bytes of data belong to no tensor".formatted(size - at));
        }
    }

    private PenjingException damaged(String what) {
        return new PenjingException(
                path + " is not a whole safetensors file: " + what + "; fetch it again");
    }

    public Set<String> names() {
        return tensors.keySet();
    }

    public Map<String, String> metadata() {
        return metadata;
    }

    /// @throws PenjingException if there is no tensor of this name
    public TensorView tensor(String name) {
        TensorView view = tensors.get(name);
        if (view == null) {
            throw new PenjingException(path + " holds no tensor " + name);
        }
        return view;
    }

    @Override
    public void close() {
        arena.close();
    }
}
