/// Weights rounded to the blocks of GGUF: the scales of a block fitted by weighted least squares,
/// and what rounding a column costs made up for by those behind it.
@NullMarked
package dev.penjing.model.quantization;

import org.jspecify.annotations.NullMarked;
