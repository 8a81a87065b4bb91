package dev.penjing.inference.machine;

import dev.penjing.inference.machine.InstructionEncoder.Mem;
import dev.penjing.inference.machine.InstructionEncoder.Operand;
import dev.penjing.inference.machine.InstructionEncoder.Vec;

/// How a block's products of weights and activations become a whole number in each 32-bit lane,
/// with what the processor has for it.
abstract sealed class Multiplication {
    /// Products of bytes without and with sign, added up in 16 bits, are at most 32,767; an
    /// activation is at most 127.
    private static final int MOST = 32_767 / 127;

    /// What a multiplication works with.
    ///
    /// @param bytes of a vector
    /// @param spare three registers for anything in between; the second holds the weights' mask,
    ///   the third ones of 16 bits, where they are not needed for other things
    /// @param mask as `spare[1]`, in memory
    /// @param ones as `spare[2]`, in memory
    /// @param upper see [WeightCode#unpack]
    /// @param table see [WeightCode#unpack]
    @SuppressWarnings("ArrayRecordComponent") // compared nowhere
    record Room(
            Assembler a,
            WeightCode weights,
            int bytes,
            Vec[] spare,
            Mem mask,
            Mem ones,
            Mem upper,
            Mem table) {}

    final Room room;
    final Assembler a;
    final WeightCode weights;

    Multiplication(Room room) {
        this.room = room;
        this.a = room.a();
        this.weights = room.weights();
    }

    static Multiplication of(InstructionSet set, Room room) {
        return switch (set) {
            case VNNI512, VNNI -> new Dots(room);
            case AVX2 -> {
                int largest = room.weights().largest();
                yield 16 * largest <= MOST
                        ? new Pairs(room)
                        : 4 * largest <= MOST ? new Fours(room) : new Signed(room);
            }
        };
    }

    /// Whether the table's numbers have their sign.
    boolean signedTable() {
        return false;
    }

    /// Registers that a packed vector is unpacked to.
    int registers() {
        return weights.parts();
    }

    /// Whether the mask and the ones must be in their registers.
    boolean keepsConstants() {
        return true;
    }

    /// @param from the block's first vector of the half at hand
    /// @param v which packed vector
    void unpack(Mem from, int v, Vec[] to) {
        Operand mask = keepsConstants() ? room.spare()[1] : room.mask();
        weights.unpack(
                a, from, v, room.bytes(), to, mask, room.upper(), room.table(), room.spare()[0]);
    }

    /// Before the first product.
    ///
    /// @param offset 32 bits: -8 times the sum of the activations
    void begin(Vec sum, Mem offset) {}

    /// Adds four columns' products.
    ///
    /// @param half of the group
    /// @param w unpacked weights
    /// @param x four activations, bytes with sign, repeated
    /// @param first whether they are of the sum's first packed vector
    abstract void multiply(Vec sum, int half, Vec[] w, int part, Vec x, boolean first);

    /// After the last: `sum` is the sum of weights times activations, of 32 bits.
    abstract void end(Vec sum, Mem offset);

    /// -8 times the sum of activations, times what the bytes are too large by in eights.
    final void offset(Vec to, Mem offset) {
        a.vpbroadcastd(to, offset);
        int shift = Integer.numberOfTrailingZeros(weights.offset() / 8);
        if (shift > 0) {
            a.vpslld(to, to, shift);
        }
    }

    final void addOffset(Vec sum, Mem offset) {
        if (weights.offset() > 0) {
            offset(room.spare()[0], offset);
            a.vpaddd(sum, sum, room.spare()[0]);
        }
    }

    /// VPDPBUSD does it all.
    static final class Dots extends Multiplication {
        Dots(Room room) {
            super(room);
        }

        @Override
        void begin(Vec sum, Mem offset) {
            if (weights.offset() > 0) {
                offset(sum, offset);
            } else {
                a.vpxor(sum, sum, sum);
            }
        }

        @Override
        void multiply(Vec sum, int half, Vec[] w, int part, Vec x, boolean first) {
            a.vpdpbusd(sum, w[part], x);
        }

        @Override
        void end(Vec sum, Mem offset) {}
    }

    /// VPMADDUBSW: pairs of columns are summed in 16 bits for the whole block, and made one number
    /// of 32 bits at its end.
    static final class Pairs extends Multiplication {
        Pairs(Room room) {
            super(room);
        }

        @Override
        void multiply(Vec sum, int half, Vec[] w, int part, Vec x, boolean first) {
            if (first && part == 0) {
                a.vpmaddubsw(sum, w[part], x);
            } else {
                Vec spare = room.spare()[0];
                a.vpmaddubsw(spare, w[part], x);
                a.vpaddw(sum, sum, spare);
            }
        }

        @Override
        void end(Vec sum, Mem offset) {
            a.vpmaddwd(sum, sum, room.spare()[2]);
            addOffset(sum, offset);
        }
    }

    /// VPMADDUBSW: the products of both parts of a packed vector are summed in 16 bits, no more.
    static final class Fours extends Multiplication {
        Fours(Room room) {
            super(room);
        }

        @Override
        boolean keepsConstants() {
            return false;
        }

        @Override
        void multiply(Vec sum, int half, Vec[] w, int part, Vec x, boolean first) {
            Vec pairs = room.spare()[half];
            if (part == 0) {
                a.vpmaddubsw(pairs, w[0], x);
                return;
            }
            Vec more = room.spare()[2];
            a.vpmaddubsw(more, w[1], x);
            a.vpaddw(pairs, pairs, more);
            if (first) {
                a.vpmaddwd(sum, pairs, room.ones());
            } else {
                a.vpmaddwd(pairs, pairs, room.ones());
                a.vpaddd(sum, sum, pairs);
            }
        }

        @Override
        void end(Vec sum, Mem offset) {
            addOffset(sum, offset);
        }
    }

    /// VPMADDUBSW wants one side without sign: weights give theirs to the activations. Two products
    /// fit into 16 bits, no more: 2 x 128 x 127 = 32,512.
    static final class Signed extends Multiplication {
        Signed(Room room) {
            super(room);
        }

        @Override
        boolean signedTable() {
            return true;
        }

        @Override
        int registers() {
            return 2 * weights.parts();
        }

        @Override
        void unpack(Mem from, int v, Vec[] to) {
            Vec[] spare = room.spare();
            weights.unpackSigned(a, from, v, room.bytes(), to, spare[1], room.table(), spare[0]);
        }

        @Override
        void multiply(Vec sum, int half, Vec[] w, int part, Vec x, boolean first) {
            Vec spare = room.spare()[0];
            a.vpsignb(spare, x, w[2 * part + 1]);
            a.vpmaddubsw(spare, w[2 * part], spare);
            if (first && part == 0) {
                a.vpmaddwd(sum, spare, room.spare()[2]);
            } else {
                a.vpmaddwd(spare, spare, room.spare()[2]);
                a.vpaddd(sum, sum, spare);
            }
        }

        @Override
        void end(Vec sum, Mem offset) {}
    }
}
