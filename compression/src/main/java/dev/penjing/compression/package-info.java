@NullMarked
package dev.penjing.compression;

import org.jspecify.annotations.NullMarked;
