package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.Lanes.F;
import static dev.penjing.inference.kernel.Lanes.HALF;
import static dev.penjing.inference.kernel.Lanes.I;
import static dev.penjing.inference.kernel.Lanes.L;
import static dev.penjing.inference.kernel.Lanes.LITTLE;
import static dev.penjing.inference.kernel.Lanes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.penjing.model.quantization.CodeTable;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// Products of the formats that have no kernels of their own on the Vector API. A block of a group
/// of rows is unpacked to numbers of 16 bits, which wait in the cache of the first level, and met
/// by all rows of activations: slower than kernels that unpack in registers, and the same sums.
final class UnpackedBlocks {
    private static final int VECTOR = 4 * L;
    private static final int GROUP = 2 * L;
    private static final int WORDS = 8;
    private static final VectorSpecies<Byte> B = VectorSpecies.of(byte.class, I.vectorShape());
    private static final ByteVector TABLE = table();

    private final PackedMatrix w;
    private final WeightFormat format;
    private final MemorySegment data;
    private final int parts;
    private final Codes codes;
    private final boolean table;
    private final short offset;

    /// Words, of four columns each, whose products fit into 16 bits together: two of each lie in
    /// one.
    private final int together;

    /// Of each half of the group, of each word: columns 0 and 2 of each lane, then 1 and 3.
    private final int[] numbers = new int[2 * WORDS * 2 * L];

    /// [part][row of the group]
    private final float[] scales;

    /// An eighth of what is taken away from each row.
    private final float[] minimums = new float[GROUP];

    /// Float16 numbers of the super-block.
    private final float[] superScales = new float[GROUP];

    private final float[] superMinimums = new float[GROUP];

    private UnpackedBlocks(PackedMatrix w) {
        this.w = w;
        this.format = w.format();
        this.data = w.data();
        this.parts = format.scales().parts();
        this.codes = format.codes();
        this.table = format.hasTable();
        this.offset = (short) format.offset();
        int largest = table ? 127 : Math.max(offset, (1 << codes.bits()) - 1 - offset);
        int fit = Short.MAX_VALUE / (2 * 127 * largest);
        this.together = Math.min(Integer.highestOneBit(fit), WORDS / parts);
        this.scales = new float[parts * GROUP];
    }

    private static ByteVector table() {
        byte[] repeated = new byte[B.length()];
        for (int i = 0; i < repeated.length; i++) {
            repeated[i] = CodeTable.numbers()[i % 16];
        }
        return ByteVector.fromArray(B, repeated, 0);
    }

    /// As [Kernels#product].
    static void product(
            PackedMatrix w,
            LaneActivations x,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            boolean add,
            Scratch scratch) {
        UnpackedBlocks unpacked = new UnpackedBlocks(w);
        float[] sums = scratch.sums(x.rows() * GROUP);
        for (int row = from; row < to; row += GROUP) {
            Arrays.fill(sums, 0, x.rows() * GROUP, 0);
            for (int t = 0; t < x.rows() && add; t++) {
                System.arraycopy(y, yAt + t * stride + row, sums, t * GROUP, GROUP);
            }
            for (int block = 0; block < w.blocks(); block++) {
                unpacked.unpack(row, block);
                for (int t = 0; t < x.rows(); t++) {
                    unpacked.add(x, t, block, sums);
                }
            }
            for (int t = 0; t < x.rows(); t++) {
                System.arraycopy(sums, t * GROUP, y, yAt + t * stride + row, GROUP);
            }
        }
    }

    private void unpack(int row, int block) {
        long at = w.offset(row, block);
        if (format.scales().inSuperBlocks() && block % Scales.BLOCKS == 0) {
            halves(at, format.scales().headShorts(), superScales, superMinimums);
            at += (long) GROUP * format.headBytes();
        }
        for (int half = 0; half < 2; half++) {
            for (int v = 0; v < 4; v++) {
                codes(at + half * VECTOR, v, half * WORDS);
            }
        }
        scales(at + (long) GROUP * 4 * format.codes().bits());
    }

    private IntVector vector(long at) {
        return IntVector.fromMemorySegment(I, data, at, LITTLE);
    }

    /// Unpacks the two words of a lane of nibbles.
    ///
    /// @param at where the lanes of the group's half start
    /// @param first number of the half's first word
    private void codes(long at, int v, int first) {
        int lowWord = codes.word(v, false);
        int highWord = codes.word(v, true);
        IntVector both = vector(at + 2L * v * VECTOR);
        IntVector low = both.and(0x0f0f0f0f);
        IntVector high = both.lanewise(LSHR, 4).and(0x0f0f0f0f);
        if (codes == Codes.FIVES) {
            IntVector fifths = vector(at + 8L * VECTOR).lanewise(LSHR, 2 * v);
            low = low.or(fifths.and(0x01010101).lanewise(LSHL, 4));
            high = high.or(fifths.lanewise(LSHR, 1).and(0x01010101).lanewise(LSHL, 4));
        } else if (codes == Codes.SIXES) {
            IntVector upper = vector(at + 2L * (4 + v / 2) * VECTOR).lanewise(LSHR, v % 2 * 4);
            low = low.or(upper.and(0x03030303).lanewise(LSHL, 4));
            high = high.or(upper.lanewise(LSHR, 2).and(0x03030303).lanewise(LSHL, 4));
        } else if (table) {
            low = low.reinterpretAsBytes().selectFrom(TABLE).reinterpretAsInts();
            high = high.reinterpretAsBytes().selectFrom(TABLE).reinterpretAsInts();
        }
        store(low.reinterpretAsShorts(), (first + lowWord) * 2 * L);
        store(high.reinterpretAsShorts(), (first + highWord) * 2 * L);
    }

    /// Four bytes of a lane as numbers of 16 bits.
    private void store(ShortVector s, int to) {
        ShortVector even = s.lanewise(LSHL, 8).lanewise(ASHR, 8).sub(offset);
        ShortVector odd = s.lanewise(ASHR, 8).sub(offset);
        even.reinterpretAsInts().intoArray(numbers, to);
        odd.reinterpretAsInts().intoArray(numbers, to + L);
    }

    /// Float16 numbers, one a row or two.
    private void halves(long at, int count, float[] first, float[] second) {
        IntVector v = vector(at);
        if (count == 1) {
            low(v).intoArray(first, 0);
            high(v).intoArray(first, L);
        } else {
            IntVector above = vector(at + VECTOR);
            low(v).intoArray(first, 0);
            low(above).intoArray(first, L);
            high(v).intoArray(second, 0);
            high(above).intoArray(second, L);
        }
    }

    private static FloatVector low(IntVector v) {
        return v.lanewise(LSHL, 16)
                .lanewise(ASHR, 3)
                .and(0x8fffffff)
                .reinterpretAsFloats()
                .mul(HALF);
    }

    private static FloatVector high(IntVector v) {
        return v.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(HALF);
    }

    private void scales(long at) {
        if (!format.scales().inSuperBlocks()) {
            halves(at, format.scales().shorts(), scales, minimums);
            for (int i = 0; i < GROUP; i++) {
                minimums[i] /= 8;
            }
            return;
        }
        IntVector v = vector(at);
        for (int half = 0; half < 2; half++) {
            int to = half * L;
            switch (format.scales()) {
                case SUPER_MINIMUM -> {
                    IntVector first = v.lanewise(LSHR, 16 * half).and(0xff);
                    IntVector second = v.lanewise(LSHR, 16 * half + 8).and(0xff);
                    times(first, superScales, to, 1, scales, to);
                    times(second, superMinimums, to, 0.125f, minimums, to);
                }
                case SUPER_SIXTEENS -> {
                    IntVector first = v.lanewise(LSHL, 24 - 16 * half).lanewise(ASHR, 24);
                    IntVector second = v.lanewise(LSHL, 16 - 16 * half).lanewise(ASHR, 24);
                    times(first, superScales, to, 1, scales, to);
                    times(second, superScales, to, 1, scales, GROUP + to);
                }
                default -> {
                    IntVector scale = v.lanewise(LSHL, 16 - 16 * half).lanewise(ASHR, 16);
                    times(scale, superScales, to, 1, scales, to);
                }
            }
        }
    }

    private static void times(
            IntVector whole, float[] by, int at, float factor, float[] to, int toAt) {
        ((FloatVector) whole.convert(I2F, 0))
                .mul(FloatVector.fromArray(F, by, at))
                .mul(factor)
                .intoArray(to, toAt);
    }

    /// Adds the block's products with row `t` of the activations to its sums.
    private void add(LaneActivations x, int t, int block, float[] sums) {
        int pair = x.pairIndex(t, block);
        int index = x.blockIndex(t, block);
        float scale = x.scales[index];
        int words = WORDS / parts;
        for (int half = 0; half < 2; half++) {
            int to = t * GROUP + half * L;
            FloatVector y = FloatVector.fromArray(F, sums, to);
            for (int part = 0; part < parts; part++) {
                IntVector dot = dot(x.pairs, pair, half, part * words, words);
                FloatVector by =
                        FloatVector.fromArray(F, scales, part * GROUP + half * L).mul(scale);
                y = ((FloatVector) dot.convert(I2F, 0)).fma(by, y);
            }
            if (format.scales().minimum()) {
                FloatVector eight = FloatVector.broadcast(F, (x.offsets[index] >> 16) * scale);
                y = eight.fma(FloatVector.fromArray(F, minimums, half * L), y);
            }
            y.intoArray(sums, to);
        }
    }

    /// Products are summed in 16 bits as long as they fit.
    private IntVector dot(int[] pairs, int pair, int half, int word, int words) {
        IntVector sum = IntVector.zero(I);
        int at = (half * WORDS + word) * 2 * L;
        int p = pair + 2 * word;
        for (int left = words; left > 0; left -= together) {
            ShortVector some = ShortVector.zero(S);
            for (int i = 0; i < together; i++, at += 2 * L, p += 2) {
                ShortVector x0 = IntVector.broadcast(I, pairs[p]).reinterpretAsShorts();
                ShortVector x1 = IntVector.broadcast(I, pairs[p + 1]).reinterpretAsShorts();
                ShortVector even = IntVector.fromArray(I, numbers, at).reinterpretAsShorts();
                ShortVector odd = IntVector.fromArray(I, numbers, at + L).reinterpretAsShorts();
                some = some.add(even.mul(x0)).add(odd.mul(x1));
            }
            IntVector m = some.reinterpretAsInts();
            sum = sum.add(m.lanewise(ASHR, 16));
            sum = sum.add(m.lanewise(LSHL, 16).lanewise(ASHR, 16));
        }
        return sum;
    }
}
