/// The nine benchmarks, a class each, and questions of one's own. Start with `Benchmarks`, the
/// registry: a new benchmark is a class here and a line there.
@NullMarked
package dev.penjing.evaluation.tasks;

import org.jspecify.annotations.NullMarked;
