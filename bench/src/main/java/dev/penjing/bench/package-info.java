/// Benchmarks of speed beside peers, started by hand with `bench/run NAME`: the engine
/// ([EngineBench]), its kernels, the server under load ([ServingBench]), a distillation step, the
/// evaluation and the tokenizer. [SideBySide] lets contestants take turns; start with it and
/// [EngineBench]. `docs/performance.md` has the results.
@NullMarked
package dev.penjing.bench;

import org.jspecify.annotations.NullMarked;
