/// The engine: a quantised decoder on the processor, many sequences at once.
@NullMarked
package dev.penjing.inference;

import org.jspecify.annotations.NullMarked;
