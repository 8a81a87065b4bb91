@NullMarked
package dev.penjing.compression.run;

import org.jspecify.annotations.NullMarked;
