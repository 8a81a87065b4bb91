/// What JavaCPP's libtorch lacks: a device and type to compute in, ownership of native tensors
/// beyond one scope, and ways between Java's memory and theirs. Start at [Compute] and [Tensors].
@NullMarked
package dev.penjing.compression.torch;

import org.jspecify.annotations.NullMarked;
