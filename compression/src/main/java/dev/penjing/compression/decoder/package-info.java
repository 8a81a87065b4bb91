@NullMarked
package dev.penjing.compression.decoder;

import org.jspecify.annotations.NullMarked;
