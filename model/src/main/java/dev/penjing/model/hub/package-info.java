@NullMarked
package dev.penjing.model.hub;

import org.jspecify.annotations.NullMarked;
