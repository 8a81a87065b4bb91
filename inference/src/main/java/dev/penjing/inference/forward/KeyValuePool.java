package dev.penjing.inference.forward;

import dev.penjing.inference.kernel.Kernels;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// The key-value cache: memory for the keys and values of all sequences, in blocks of 32 positions,
/// float16.
///
/// A block holds for each layer and key-value head its keys, in tiles of 16 positions as
/// [headDim][16], and then its values as [32][headDim]. Owns native memory until closed; a block
/// takes none before it is first used.
final class KeyValuePool implements AutoCloseable {
    /// Positions of a block.
    static final int BLOCK = Kernels.KEY_BLOCK;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment[] data;
    private final int heads;
    private final int headDim;
    private final long blockBytes;
    private final int blocks;

    /// @param bytes at most
    KeyValuePool(ModelConfig config, long bytes) {
        heads = config.numKeyValueHeads();
        headDim = config.headDim();
        blockBytes = config.kvBytesPerToken(2) * BLOCK;
        blocks = Math.toIntExact(Math.min(Integer.MAX_VALUE, bytes / blockBytes));
        if (blocks < 1) {
            throw new PenjingException(
                    "%d bytes are too few for keys and values: one block takes %d"
                            .formatted(bytes, blockBytes));
        }
        data = new MemorySegment[blocks];
        Arrays.fill(data, MemorySegment.NULL);
    }

    /// Makes sure that a block has memory. One thread at a time.
    void use(int block) {
        if (data[block].byteSize() == 0) {
            data[block] = arena.allocate(blockBytes, 64);
        }
    }

    /// Copies what a block holds. One thread at a time.
    void copy(int from, int to) {
        use(to);
        data[to].copyFrom(data[from]);
    }

    MemorySegment data(int block) {
        return data[block];
    }

    int blocks() {
        return blocks;
    }

    long blockBytes() {
        return blockBytes;
    }

    /// Where the keys of a layer and head start in a block; a tile takes 32 x headDim bytes.
    long keys(int layer, int head) {
        return ((long) layer * heads + head) * 4 * BLOCK * headDim;
    }

    /// Where the values start.
    long values(int layer, int head) {
        return keys(layer, head) + 2L * BLOCK * headDim;
    }

    @Override
    public void close() {
        arena.close();
    }
}
