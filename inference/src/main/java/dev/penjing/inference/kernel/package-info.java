/// Implementation of the engine; callers use `dev.penjing.inference`, and of this package
/// [dev.penjing.inference.kernel.WeightFormat] alone. The engine's inner loops: start with
/// [dev.penjing.inference.kernel.Kernels], on the Vector API or in plain Java; a
/// [dev.penjing.inference.kernel.Team] of threads runs them.
@NullMarked
package dev.penjing.inference.kernel;

import org.jspecify.annotations.NullMarked;
