package dev.penjing.inference.machine;

import dev.penjing.inference.machine.InstructionEncoder.Mem;
import dev.penjing.inference.machine.InstructionEncoder.Vec;

/// How a block's products of weights and activations become a whole number in each 32-bit lane,
/// with what the processor has for it.
abstract sealed class Multiplication {
    final Assembler a;
    final WeightCode weights;

    Multiplication(Assembler a, WeightCode weights) {
        this.a = a;
        this.weights = weights;
    }

    /// @param ones a register that the code keeps as [#constant] says
    /// @param spare a register for anything in between
    static Multiplication of(
            InstructionSet set, Assembler a, WeightCode weights, Vec ones, Vec spare) {
        return switch (set) {
            case VNNI512, VNNI -> new Dots(a, weights);
            case AVX2 ->
                    weights.small()
                            ? new Pairs(a, weights, ones, spare)
                            : new Signed(a, weights, ones, spare);
        };
    }

    /// What the register of ones holds in each lane; 0 if it is not used.
    int constant() {
        return 0x00010001;
    }

    /// Registers that a packed vector is unpacked to.
    int parts() {
        return weights.parts();
    }

    void unpack(Mem from, Vec[] to, Vec mask) {
        weights.unpack(a, from, to, mask);
    }

    /// Before a block's first product.
    ///
    /// @param offset 32 bits: -8 times the sum of the block's activations
    abstract void begin(Vec sum, Mem offset);

    /// Adds four columns' products.
    ///
    /// @param w unpacked weights
    /// @param x four activations, bytes with sign, repeated
    /// @param first whether it is the block's first
    abstract void multiply(Vec sum, Vec[] w, int part, Vec x, boolean first);

    /// After the last: `sum` is the sum of weights times activations, of 32 bits.
    abstract void end(Vec sum, Mem offset);

    /// VPDPBUSD does it all.
    static final class Dots extends Multiplication {
        Dots(Assembler a, WeightCode weights) {
            super(a, weights);
        }

        @Override
        int constant() {
            return 0;
        }

        @Override
        void begin(Vec sum, Mem offset) {
            a.vpbroadcastd(sum, offset);
            if (weights.offsetShift() > 0) {
                a.vpslld(sum, sum, weights.offsetShift());
            }
        }

        @Override
        void multiply(Vec sum, Vec[] w, int part, Vec x, boolean first) {
            a.vpdpbusd(sum, w[part], x);
        }

        @Override
        void end(Vec sum, Mem offset) {}
    }

    /// VPMADDUBSW: pairs of columns are summed in 16 bits for the whole block, and made one number
    /// of 32 bits at its end.
    static final class Pairs extends Multiplication {
        private final Vec ones;
        private final Vec spare;

        Pairs(Assembler a, WeightCode weights, Vec ones, Vec spare) {
            super(a, weights);
            this.ones = ones;
            this.spare = spare;
        }

        @Override
        void begin(Vec sum, Mem offset) {}

        @Override
        void multiply(Vec sum, Vec[] w, int part, Vec x, boolean first) {
            if (first) {
                a.vpmaddubsw(sum, w[part], x);
            } else {
                a.vpmaddubsw(spare, w[part], x);
                a.vpaddw(sum, sum, spare);
            }
        }

        @Override
        void end(Vec sum, Mem offset) {
            a.vpmaddwd(sum, sum, ones);
            a.vpbroadcastd(spare, offset);
            a.vpaddd(sum, sum, spare);
        }
    }

    /// VPMADDUBSW wants one side without sign: weights give theirs to the activations. Two products
    /// fit into 16 bits, no more: 2 x 128 x 127 = 32,512.
    static final class Signed extends Multiplication {
        private final Vec ones;
        private final Vec spare;

        Signed(Assembler a, WeightCode weights, Vec ones, Vec spare) {
            super(a, weights);
            this.ones = ones;
            this.spare = spare;
        }

        @Override
        int parts() {
            return 2;
        }

        @Override
        void unpack(Mem from, Vec[] to, Vec mask) {
            a.vmovups(to[1], from);
            a.vpabsb(to[0], to[1]);
        }

        @Override
        void begin(Vec sum, Mem offset) {}

        @Override
        void multiply(Vec sum, Vec[] w, int part, Vec x, boolean first) {
            a.vpsignb(spare, x, w[1]);
            a.vpmaddubsw(spare, w[0], spare);
            if (first) {
                a.vpmaddwd(sum, spare, ones);
            } else {
                a.vpmaddwd(spare, spare, ones);
                a.vpaddd(sum, sum, spare);
            }
        }

        @Override
        void end(Vec sum, Mem offset) {}
    }
}
