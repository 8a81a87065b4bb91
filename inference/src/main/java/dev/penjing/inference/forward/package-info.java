/// Implementation of the engine; callers use `dev.penjing.inference`. A batch of tokens goes
/// through a model here: [dev.penjing.inference.forward.ForwardPass] is the seam that an engine for
/// another machine implements, [dev.penjing.inference.forward.Transformer] the one on the
/// processor, with its packed weights and its key-value cache.
@NullMarked
package dev.penjing.inference.forward;

import org.jspecify.annotations.NullMarked;
