package dev.penjing.bench;

import java.util.Map;
import java.util.Optional;

/// Says what killed a peer's process.
final class PeerCrash {
    /// A status above this is 128 and the number of a signal.
    private static final int SIGNALS = 128;

    private static final Map<Integer, String> NAMES =
            Map.of(
                    4,
                    "SIGILL, an instruction that this processor does not take: on Intel processors"
                            + " with AMX compile it with -mno-amx-tile -mno-amx-int8 -mno-amx-bf16",
                    6,
                    "SIGABRT: it gave up",
                    9,
                    "SIGKILL: out of memory, presumably",
                    11,
                    "SIGSEGV: a wrong address");

    private PeerCrash() {}

    /// Waits for the process, whose output has ended.
    ///
    /// @return empty if no signal ended it
    static Optional<String> of(String name, Process process) {
        try {
            int status = process.waitFor();
            int signal = status - SIGNALS;
            return signal > 0
                    ? Optional.of(
                            "%s crashed by signal %d (%s)"
                                    .formatted(name, signal, NAMES.getOrDefault(signal, "unknown")))
                    : Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
