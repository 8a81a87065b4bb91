/// What quantisation asks of a model's activations: how much an error in each column of a matrix
/// costs, and how other columns can make up for it.
@NullMarked
package dev.penjing.compression.quantization;

import org.jspecify.annotations.NullMarked;
