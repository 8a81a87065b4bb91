@NullMarked
package dev.penjing.evaluation.tasks;

import org.jspecify.annotations.NullMarked;
