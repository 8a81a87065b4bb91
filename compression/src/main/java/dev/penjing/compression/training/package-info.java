@NullMarked
package dev.penjing.compression.training;

import org.jspecify.annotations.NullMarked;
