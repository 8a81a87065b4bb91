package dev.penjing.inference.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/// How wide the vectors are: as wide as the machine's, or as `-Dpenjing.vector.bits` says.
final class Lanes {
    static final VectorSpecies<Integer> I = species();
    static final VectorSpecies<Short> S = VectorSpecies.of(short.class, I.vectorShape());
    static final VectorSpecies<Float> F = VectorSpecies.of(float.class, I.vectorShape());

    static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

    /// 32-bit lanes of a vector.
    static final int L = I.length();

    /// What float16 bits, shifted into a float32's place, are short of.
    static final float HALF = 0x1p112f;

    private Lanes() {}

    private static VectorSpecies<Integer> species() {
        return switch (Integer.getInteger("penjing.vector.bits", 0)) {
            case 128 -> IntVector.SPECIES_128;
            case 256 -> IntVector.SPECIES_256;
            case 512 -> IntVector.SPECIES_512;
            default -> IntVector.SPECIES_PREFERRED;
        };
    }
}
