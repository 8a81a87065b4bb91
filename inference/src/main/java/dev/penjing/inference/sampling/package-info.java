/// Implementation of the engine; callers use `dev.penjing.inference`. From logits to a token, and
/// from tokens' texts to where a stop text ends them: start with
/// [dev.penjing.inference.sampling.Sampler].
@NullMarked
package dev.penjing.inference.sampling;

import org.jspecify.annotations.NullMarked;
