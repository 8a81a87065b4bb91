/// Generates and scores texts with a [decoder][dev.penjing.compression.decoder.Decoder] on
/// libtorch, in batches that share a prefix cache, so that a model in training can be measured in
/// the arithmetic that it was trained in. Start at [TorchModel], the language model; serving has an
/// engine of its own in `dev.penjing.inference`.
@NullMarked
package dev.penjing.compression.generation;

import org.jspecify.annotations.NullMarked;
