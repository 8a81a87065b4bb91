/// Measuring a language model on benchmarks: items become prompts, prompts requests to the model,
/// and answers scores. Start with `Evaluation`, which runs benchmarks, and `Task`, which says what
/// one is; `ResultCache` keeps what a model has answered.
@NullMarked
package dev.penjing.evaluation;

import org.jspecify.annotations.NullMarked;
