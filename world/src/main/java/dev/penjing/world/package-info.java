@NullMarked
package dev.penjing.world;

import org.jspecify.annotations.NullMarked;
