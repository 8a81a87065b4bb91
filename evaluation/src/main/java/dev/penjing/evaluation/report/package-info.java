/// Results for people and for other programs: a table that compares models, and the JSON form of
/// lm-evaluation-harness. Start with `ComparisonTable`.
@NullMarked
package dev.penjing.evaluation.report;

import org.jspecify.annotations.NullMarked;
