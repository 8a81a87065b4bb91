@NullMarked
package dev.penjing.compression.torch;

import org.jspecify.annotations.NullMarked;
