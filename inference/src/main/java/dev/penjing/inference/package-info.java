/// The engine: a quantised decoder on the processor, many requests at once (continuous batching,
/// paged key-value cache, prefix cache, speculative decoding, structured output). Start with
/// [dev.penjing.inference.Engine]; what goes in and comes out is in `dev.penjing.inference.api`.
/// This package puts the others together, and none of them knows it.
@NullMarked
package dev.penjing.inference;

import org.jspecify.annotations.NullMarked;
