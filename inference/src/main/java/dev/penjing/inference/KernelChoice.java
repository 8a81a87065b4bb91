package dev.penjing.inference;

import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.ScalarKernels;
import dev.penjing.inference.kernel.VectorKernels;
import dev.penjing.inference.machine.EmittedKernels;
import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Which kernels an engine computes with: the names that settings call them by. All give the same
/// products, bit for bit; they differ in speed, and norms, softmax and attention in the last
/// digits.
public final class KernelChoice {
    /// The fastest that there are here. `-Dpenjing.kernels=NAME` makes it another.
    public static final String AUTO = "auto";

    private static final String VECTOR = "vector";
    private static final String SCALAR = "scalar";
    private static final System.Logger LOG = System.getLogger("penjing");

    /// Lanes of the scalar kernels' matrices.
    private static final int LANES = 16;

    /// Kernels have no state, and emitted ones cost time and memory: there is one of each.
    private static final Map<String, Kernels> OPEN = new ConcurrentHashMap<>();

    private KernelChoice() {}

    /// All names, `auto` first and then by speed.
    public static List<String> names() {
        List<String> names = new ArrayList<>(List.of(AUTO));
        names.addAll(EmittedKernels.names());
        names.addAll(List.of(VECTOR, SCALAR));
        return names;
    }

    /// The name as it is used.
    ///
    /// @throws UsageException if there is none of this name
    static String checked(String name) {
        if (!names().contains(name)) {
            throw new UsageException(
                    "kernels must be one of %s, not %s"
                            .formatted(String.join(", ", names()), name));
        }
        return name;
    }

    /// The kernels of a name.
    ///
    /// @throws UsageException if there is none of this name, or they do not run here
    public static Kernels open(String name) {
        String chosen = name.equals(AUTO) ? System.getProperty("penjing.kernels", AUTO) : name;
        return OPEN.computeIfAbsent(checked(chosen), KernelChoice::load);
    }

    private static Kernels load(String name) {
        return switch (name) {
            case AUTO -> fastest();
            case VECTOR -> vector();
            case SCALAR -> new ScalarKernels(LANES);
            default -> {
                try {
                    yield EmittedKernels.named(name, rest());
                } catch (UnsupportedOperationException e) {
                    throw new UsageException(
                            "the kernels %s do not run here: %s; auto takes the fastest that do"
                                    .formatted(name, e.getMessage()));
                }
            }
        };
    }

    private static Kernels fastest() {
        try {
            return EmittedKernels.fastest(rest());
        } catch (UnsupportedOperationException e) {
            LOG.log(
                    System.Logger.Level.INFO,
                    "no code is written for this processor, which would be faster: {0}",
                    e.getMessage());
            return rest();
        }
    }

    private static Kernels vector() {
        if (!hasVectors()) {
            throw new UsageException(
                    "the kernels vector need the JVM's module jdk.incubator.vector");
        }
        return new VectorKernels();
    }

    private static Kernels rest() {
        return hasVectors() ? new VectorKernels() : new ScalarKernels(LANES);
    }

    private static boolean hasVectors() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }
}
