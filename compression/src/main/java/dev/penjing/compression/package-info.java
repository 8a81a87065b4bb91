/// Makes small language models out of large ones: importance, pruning, distillation, on libtorch.
/// Start at `run.Compression`, which calls the other packages in turn.
@NullMarked
package dev.penjing.compression;

import org.jspecify.annotations.NullMarked;
