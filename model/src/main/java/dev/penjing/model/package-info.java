@NullMarked
package dev.penjing.model;

import org.jspecify.annotations.NullMarked;
