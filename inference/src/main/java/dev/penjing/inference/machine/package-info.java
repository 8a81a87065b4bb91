/// Machine code that Java writes for the processor it finds itself on: the matrix products that the
/// Vector API has no instructions for. [KernelChoice] is where to start; [EmittedKernels] are the
/// kernels, [ProductCode] writes the most important of them. `docs/emitted-code.md` explains it to
/// a reader who never saw such code. Linux on x86-64 alone; elsewhere the Vector API computes.
@NullMarked
package dev.penjing.inference.machine;

import org.jspecify.annotations.NullMarked;
