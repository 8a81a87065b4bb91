/// The forward pass of a decoder on libtorch, with gradients where they are wanted, and the flat
/// tensor that holds a model's parameters. Start at [Decoder]; [ParameterLayout] says where each
/// tensor of a checkpoint stands, [Probe] taps activations, [ForwardContext] replaces attention.
@NullMarked
package dev.penjing.compression.decoder;

import org.jspecify.annotations.NullMarked;
