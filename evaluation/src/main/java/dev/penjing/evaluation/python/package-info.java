/// What the benchmarks' definitions take from Python, bit for bit: its random numbers and its
/// strings. Start with `PythonRandom`, by which shots are drawn.
@NullMarked
package dev.penjing.evaluation.python;

import org.jspecify.annotations.NullMarked;
