@NullMarked
package dev.penjing.evaluation.data;

import org.jspecify.annotations.NullMarked;
