@NullMarked
package dev.penjing.compression.pruning;

import org.jspecify.annotations.NullMarked;
