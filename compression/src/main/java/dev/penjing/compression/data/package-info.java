@NullMarked
package dev.penjing.compression.data;

import org.jspecify.annotations.NullMarked;
