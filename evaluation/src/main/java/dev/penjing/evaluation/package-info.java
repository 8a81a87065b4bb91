@NullMarked
package dev.penjing.evaluation;

import org.jspecify.annotations.NullMarked;
