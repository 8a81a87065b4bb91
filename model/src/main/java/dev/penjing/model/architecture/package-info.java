/// What a decoder is: its configuration, the switches that decide its computation, and one
/// description of every tensor. A model family is one class, listed in `Families`. Start with
/// `ModelConfig`, then `TensorSpec`.
@NullMarked
package dev.penjing.model.architecture;

import org.jspecify.annotations.NullMarked;
