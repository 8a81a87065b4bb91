/// Answers held to a form (structured output, guided decoding): a JSON Schema, a regular expression
/// or a choice becomes a grammar, a pushdown automaton on bytes, and masks of the tokens that may
/// come next. Start with [dev.penjing.inference.constraint.Constraint], which is what callers use;
/// the rest is implementation of the engine.
@NullMarked
package dev.penjing.inference.constraint;

import org.jspecify.annotations.NullMarked;
