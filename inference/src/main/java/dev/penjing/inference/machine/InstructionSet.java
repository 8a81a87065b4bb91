package dev.penjing.inference.machine;

import java.util.Locale;

/// What the products are made of, the fastest first.
enum InstructionSet {
    /// VPDPBUSD: four products of bytes and their sum in each of 16 lanes. AVX-512: Ice Lake, Zen 4
    /// and what came after.
    VNNI512(512, 32),

    /// The same in 8 lanes. AVX-VNNI: Alder Lake, Sierra Forest, Zen 5 and what came after.
    VNNI(256, 16),

    /// VPMADDUBSW: two products of bytes and their sum, of 16 bits. Haswell, Zen, and what came
    /// after.
    AVX2(256, 16);

    private final int bits;
    private final int registers;

    InstructionSet(int bits, int registers) {
        this.bits = bits;
        this.registers = registers;
    }

    /// Of a vector.
    int bits() {
        return bits;
    }

    /// Bytes of a vector.
    int bytes() {
        return bits / 8;
    }

    /// 32-bit lanes of a vector.
    int lanes() {
        return bits / 32;
    }

    /// Vector registers.
    int registers() {
        return registers;
    }

    boolean isOn(Processor processor) {
        return switch (this) {
            case VNNI512 -> processor.vnni512();
            case VNNI -> processor.vnni();
            case AVX2 -> processor.avx2();
        };
    }

    /// As settings call it.
    String option() {
        return name().toLowerCase(Locale.ROOT);
    }
}
