/// Items of benchmarks from a folder, from a hub or from a file of one's own, in the forms in which
/// their authors publish them. Start with `BenchmarkData`.
@NullMarked
package dev.penjing.evaluation.data;

import org.jspecify.annotations.NullMarked;
