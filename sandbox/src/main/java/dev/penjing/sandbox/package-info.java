/// The child program that runs Python programs nobody has read. It speaks with the program that
/// started it over standard input and output, and shares no code with it.
@NullMarked
package dev.penjing.sandbox;

import org.jspecify.annotations.NullMarked;
