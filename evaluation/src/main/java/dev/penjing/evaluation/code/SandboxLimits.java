package dev.penjing.evaluation.code;

import java.time.Duration;

/// What a program may use, and how many run side by side.
///
/// @param computing processor time of a program
/// @param waiting time that may pass until a program ends, whatever it does
/// @param heapMegabytes memory for the objects of a child process, the interpreter's own among
///   them; what it needs outside of that is bounded too, by about 400 MB
/// @param children processes that run side by side
public record SandboxLimits(Duration computing, Duration waiting, int heapMegabytes, int children) {
    /// The benchmarks' own harnesses give three seconds of CPython, which computes ten times
    /// faster: on a busy machine one of the reference solutions of MBPP takes 17 s here, one of
    /// HumanEval 1.6 s, and all others less than 0.3 s.
    public static final SandboxLimits DEFAULT =
            new SandboxLimits(
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(90),
                    512,
                    Math.min(8, Runtime.getRuntime().availableProcessors()));

    /// The same, with no more programs side by side than this.
    ///
    /// @param threads 0 for as many as there are
    public SandboxLimits withThreads(int threads) {
        return threads > 0
                ? new SandboxLimits(computing, waiting, heapMegabytes, Math.min(children, threads))
                : this;
    }

    public SandboxLimits {
        if (!computing.isPositive() || waiting.compareTo(computing) < 0) {
            throw new IllegalArgumentException(
                    "a program needs time to compute, and no less to end in");
        }
        if (heapMegabytes < 256 || children < 1) {
            throw new IllegalArgumentException("at least 256 MB and one child");
        }
    }
}
