@NullMarked
package dev.penjing.cli;

import org.jspecify.annotations.NullMarked;
