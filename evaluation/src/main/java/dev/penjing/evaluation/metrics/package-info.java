/// Scores as formulas, which know nothing of models and benchmarks: ROUGE, pass@k, means with their
/// standard errors. Each names the paper or the package that it follows; start with `Score`.
@NullMarked
package dev.penjing.evaluation.metrics;

import org.jspecify.annotations.NullMarked;
