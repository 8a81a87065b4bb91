package dev.penjing.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/// Threads that do nothing but read memory, piece after piece: about the limit of whoever has to
/// read as much.
final class MemoryLoop implements AutoCloseable {
    private static final VectorSpecies<Long> SPECIES = LongVector.SPECIES_PREFERRED;
    private static final int STEP = 4 * SPECIES.vectorByteSize();
    private static final int PIECE = 1 << 20;
    private static final int PASSES = 32;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment data;
    private final int threads;
    private final ExecutorService pool;
    private volatile long sum;

    MemoryLoop(long bytes, int threads) {
        this.threads = threads;
        pool = Executors.newFixedThreadPool(threads);
        data = arena.allocate(Math.ceilDiv(bytes, PIECE) * PIECE, PIECE);
        // pages that were never written may all be the same one
        data.fill((byte) 1);
    }

    /// How many times a second all of it was read.
    double passes() throws InterruptedException, ExecutionException {
        AtomicLong next = new AtomicLong();
        long start = System.nanoTime();
        List<Future<Long>> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            running.add(pool.submit(() -> read(next)));
        }
        for (Future<Long> one : running) {
            sum += one.get();
        }
        return PASSES / ((System.nanoTime() - start) / 1e9);
    }

    private long read(AtomicLong next) {
        long pieces = data.byteSize() / PIECE;
        long sum = 0;
        for (long i = next.getAndIncrement(); i < PASSES * pieces; i = next.getAndIncrement()) {
            sum += read(data, i % pieces * PIECE);
        }
        return sum;
    }

    private static long read(MemorySegment data, long from) {
        int step = SPECIES.vectorByteSize();
        LongVector a = LongVector.zero(SPECIES);
        LongVector b = a;
        LongVector c = a;
        LongVector d = a;
        for (int i = 0; i < PIECE; i += STEP) {
            a = a.add(at(data, from + i));
            b = b.add(at(data, from + i + step));
            c = c.add(at(data, from + i + 2L * step));
            d = d.add(at(data, from + i + 3L * step));
        }
        return a.add(b).add(c).add(d).lane(0);
    }

    private static LongVector at(MemorySegment data, long at) {
        return LongVector.fromMemorySegment(SPECIES, data, at, ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        pool.close();
        arena.close();
    }
}
