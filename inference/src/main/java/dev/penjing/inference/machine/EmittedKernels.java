package dev.penjing.inference.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.ByteActivations;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.Scratch;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import java.util.Collection;
import java.util.List;

/// Kernels whose products, quantisation and attention are machine code for the processor at hand;
/// the rest is left to others. A function is written and checked when it is first needed.
///
/// Bounds are checked in Java, before a call: in emitted code nothing checks them, and a wrong
/// address would end the process.
public final class EmittedKernels implements Kernels {
    /// Handles, which are made only where native access is allowed: the JVM would warn.
    private static final class Calls {
        static final MethodHandle QUANTIZE =
                CodePage.critical(
                        FunctionDescriptor.ofVoid(
                                ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG));
    }

    private final InstructionSet set;
    private final Kernels rest;
    private final EmittedProducts products;
    private final MemorySegment quantize;
    private final EmittedAttention attention = new EmittedAttention();

    private EmittedKernels(InstructionSet set, Kernels rest) {
        this.set = set;
        this.rest = rest;
        this.products = new EmittedProducts(set);
        this.quantize = CodePage.load("quantize", QuantizeCode.write());
        SelfCheck.quantize(this);
        if (!products.areRight()) {
            throw new UnsupportedOperationException("it gives other numbers than plain Java");
        }
    }

    /// What settings call the kinds of emitted code, the fastest first.
    public static List<String> names() {
        return List.of(InstructionSet.values()).stream().map(InstructionSet::option).toList();
    }

    /// The fastest that this processor has.
    ///
    /// @param rest does what is not emitted
    /// @throws UnsupportedOperationException with the reason, if there are none here
    public static Kernels fastest(Kernels rest) {
        Processor processor = processor();
        for (InstructionSet set : InstructionSet.values()) {
            if (set.isOn(processor)) {
                return new EmittedKernels(set, rest);
            }
        }
        throw new UnsupportedOperationException("the processor has no AVX2");
    }

    /// Those of a name.
    ///
    /// @throws UnsupportedOperationException with the reason, if they do not run here
    public static Kernels named(String name, Kernels rest) {
        InstructionSet set =
                List.of(InstructionSet.values()).stream()
                        .filter(s -> s.option().equals(name))
                        .findFirst()
                        .orElseThrow();
        if (!set.isOn(processor())) {
            throw new UnsupportedOperationException(
                    "the processor or the system does not have " + set);
        }
        return new EmittedKernels(set, rest);
    }

    private static Processor processor() {
        String system = System.getProperty("os.name");
        String architecture = System.getProperty("os.arch");
        if (!system.equals("Linux") || !architecture.equals("amd64")) {
            throw new UnsupportedOperationException(
                    "there is none for %s on %s".formatted(system, architecture));
        }
        if (!EmittedKernels.class.getModule().isNativeAccessEnabled()) {
            throw new UnsupportedOperationException(
                    "the JVM's option --enable-native-access=ALL-UNNAMED is missing");
        }
        return Processor.ask();
    }

    @Override
    public String describe() {
        return "emitted code, %s, %d bits".formatted(set, set.bits());
    }

    @Override
    public int lanes() {
        return set.lanes();
    }

    @Override
    public Activations activations(
            int maxRows, int columns, Collection<PackedMatrix> by, SegmentAllocator memory) {
        return new ByteActivations(maxRows, columns, memory);
    }

    @Override
    public void product(
            PackedMatrix w,
            Activations x,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            boolean add,
            Scratch scratch) {
        products.run(w, x, y, yAt, stride, from, to, add, scratch);
    }

    @Override
    public void quantize(
            float[] x, int at, int from, int to, Activations out, int row, Scratch scratch) {
        int blocks = (to - from) / PackedMatrix.UNIT;
        if (blocks == 0) {
            return;
        }
        ByteActivations bytes = (ByteActivations) out;
        int first = from / PackedMatrix.UNIT;
        MemorySegment floats = MemorySegment.ofArray(x).asSlice(4L * (at + from), 4L * (to - from));
        try {
            Calls.QUANTIZE.invokeExact(
                    quantize,
                    floats,
                    bytes.quants(row, first, blocks),
                    bytes.scales(row, first, blocks),
                    bytes.sums(row, first, blocks),
                    bytes.step(),
                    (long) blocks);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void rmsNorm(float[] x, int at, float[] weight, int size, float epsilon, float[] out) {
        rest.rmsNorm(x, at, weight, size, epsilon, out);
    }

    @Override
    public void geluTimes(float[] gate, int gateAt, float[] up, int upAt, int count) {
        rest.geluTimes(gate, gateAt, up, upAt, count);
    }

    @Override
    public void siluTimes(float[] gate, int gateAt, float[] up, int upAt, int count) {
        rest.siluTimes(gate, gateAt, up, upAt, count);
    }

    @Override
    public void scores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt) {
        rest.scores(q, qAt, headDim, keys, at, scale, scores, scoresAt);
    }

    @Override
    public void mix(
            float[] weights,
            int weightsAt,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        rest.mix(weights, weightsAt, count, values, at, headDim, out, outAt);
    }

    @Override
    public void fourScores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt,
            int stride) {
        rest.fourScores(q, qAt, headDim, keys, at, scale, scores, scoresAt, stride);
    }

    @Override
    public void fourMixes(
            float[] weights,
            int weightsAt,
            int stride,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        rest.fourMixes(weights, weightsAt, stride, count, values, at, headDim, out, outAt);
    }

    @Override
    public void scores(
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
        if (EmittedAttention.takes(headDim)) {
            attention.scores(
                    work, qAt, queries, headDim, blocks, at, positions, scale, scoresAt, stride,
                    scratch);
        } else {
            Kernels.super.scores(
                    work, qAt, queries, headDim, blocks, at, positions, scale, scoresAt, stride,
                    scratch);
        }
    }

    @Override
    public void mix(
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
        if (EmittedAttention.takes(headDim)) {
            attention.mix(
                    work, weightsAt, stride, queries, blocks, at, positions, headDim, outAt,
                    scratch);
        } else {
            Kernels.super.mix(
                    work, weightsAt, stride, queries, blocks, at, positions, headDim, outAt,
                    scratch);
        }
    }

    @Override
    public void softmax(float[] scores, int at, int count) {
        rest.softmax(scores, at, count);
    }

    @Override
    public double logSumExp(float[] x, int at, int count) {
        return rest.logSumExp(x, at, count);
    }
}
