package dev.penjing.inference.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.Scratch;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Attention in emitted code: a call takes a run of blocks of the key-value cache. Functions are
/// written for a head dimension and one or four queries, when they are first needed.
final class EmittedAttention {
    /// Blocks of a call at most: it is over in some ten microseconds, for garbage collections wait.
    private static final int MOST_BLOCKS = 64;

    private static final int TILES = Kernels.KEY_BLOCK / Kernels.KEY_TILE;

    private record Form(boolean scores, int headDim, int queries) {}

    private static final class Calls {
        static final MethodHandle SCORES =
                CodePage.critical(
                        FunctionDescriptor.ofVoid(
                                ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG));
        static final MethodHandle MIX =
                CodePage.critical(
                        FunctionDescriptor.ofVoid(
                                ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG));
    }

    private final Map<Form, MemorySegment> functions = new ConcurrentHashMap<>();

    /// Whether there is code for heads of this size.
    static boolean takes(int headDim) {
        return headDim % 8 == 0;
    }

    private MemorySegment function(boolean scores, int headDim, int queries) {
        int written = queries == 1 ? 1 : Kernels.QUERIES;
        return functions.computeIfAbsent(
                new Form(scores, headDim, written),
                form -> {
                    String name = "%s-%d-%d".formatted(scores ? "scores" : "mix", headDim, written);
                    return CodePage.load(
                            name,
                            scores
                                    ? ScoresCode.write(headDim, written)
                                    : MixCode.write(headDim, written));
                });
    }

    /// As [Kernels#scores] of a run.
    void scores(
            float[] work,
            int qAt,
            int queries,
            int headDim,
            MemorySegment[] blocks,
            long at,
            int positions,
            float scale,
            int scoresAt,
            int stride,
            Scratch scratch) {
        MemorySegment function = function(true, headDim, queries);
        int rows = queries == 1 ? 1 : Kernels.QUERIES;
        long tileBytes = 2L * Kernels.KEY_TILE * headDim;
        MemorySegment floats = MemorySegment.ofArray(work);
        MemorySegment q = floats.asSlice(4L * qAt, 4L * rows * headDim);
        int all = Math.ceilDiv(positions, Kernels.KEY_TILE);
        for (int first = 0; first < all; first += TILES * MOST_BLOCKS) {
            int tiles = Math.min(TILES * MOST_BLOCKS, all - first);
            MemorySegment addresses = scratch.outside(8L * tiles);
            for (int i = 0; i < tiles; i++) {
                int tile = first + i;
                long from = at + tile % TILES * tileBytes;
                addresses.setAtIndex(
                        JAVA_LONG, i, blocks[tile / TILES].asSlice(from, tileBytes).address());
            }
            long to = scoresAt + (long) first * Kernels.KEY_TILE;
            long length = (rows - 1L) * stride + (long) tiles * Kernels.KEY_TILE;
            try {
                Calls.SCORES.invokeExact(
                        function,
                        addresses,
                        (long) tiles,
                        q,
                        floats.asSlice(4 * to, 4 * length),
                        4L * stride,
                        (long) Float.floatToRawIntBits(scale));
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /// As [Kernels#mix] of a run.
    void mix(
            float[] work,
            int weightsAt,
            int stride,
            int queries,
            MemorySegment[] blocks,
            long at,
            int positions,
            int headDim,
            int outAt,
            Scratch scratch) {
        int whole = positions / Kernels.KEY_BLOCK;
        for (int first = 0; first < whole; first += MOST_BLOCKS) {
            int count = Math.min(MOST_BLOCKS, whole - first);
            mix(
                    work,
                    weightsAt,
                    stride,
                    queries,
                    blocks,
                    first,
                    count,
                    Kernels.KEY_BLOCK,
                    at,
                    headDim,
                    outAt,
                    scratch);
        }
        int rest = positions % Kernels.KEY_BLOCK;
        if (rest > 0) {
            mix(
                    work, weightsAt, stride, queries, blocks, whole, 1, rest, at, headDim, outAt,
                    scratch);
        }
    }

    private void mix(
            float[] work,
            int weightsAt,
            int stride,
            int queries,
            MemorySegment[] blocks,
            int first,
            int count,
            int perBlock,
            long at,
            int headDim,
            int outAt,
            Scratch scratch) {
        MemorySegment function = function(false, headDim, queries);
        int rows = queries == 1 ? 1 : Kernels.QUERIES;
        MemorySegment addresses = scratch.outside(8L * count);
        for (int i = 0; i < count; i++) {
            MemorySegment values = blocks[first + i].asSlice(at, 2L * perBlock * headDim);
            addresses.setAtIndex(JAVA_LONG, i, values.address());
        }
        MemorySegment floats = MemorySegment.ofArray(work);
        long from = weightsAt + (long) first * Kernels.KEY_BLOCK;
        long length = (rows - 1L) * stride + (long) count * perBlock;
        try {
            Calls.MIX.invokeExact(
                    function,
                    addresses,
                    (long) count,
                    floats.asSlice(4 * from, 4 * length),
                    4L * stride,
                    floats.asSlice(4L * outAt, 4L * rows * headDim),
                    (long) perBlock);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
