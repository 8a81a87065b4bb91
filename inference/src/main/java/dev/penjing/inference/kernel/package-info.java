/// The engine's arithmetic: products with quantised weights and what stands between them.
@NullMarked
package dev.penjing.inference.kernel;

import org.jspecify.annotations.NullMarked;
