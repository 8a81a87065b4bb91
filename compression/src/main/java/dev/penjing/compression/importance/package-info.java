@NullMarked
package dev.penjing.compression.importance;

import org.jspecify.annotations.NullMarked;
