@NullMarked
package dev.penjing.evaluation.code;

import org.jspecify.annotations.NullMarked;
