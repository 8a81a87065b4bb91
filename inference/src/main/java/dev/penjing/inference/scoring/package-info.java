/// Implementation of the engine; callers use `dev.penjing.inference`. Log-probabilities of texts,
/// computed between the scheduler's steps, what they share at the beginning once. Start with
/// [dev.penjing.inference.scoring.ScoringJob].
@NullMarked
package dev.penjing.inference.scoring;

import org.jspecify.annotations.NullMarked;
