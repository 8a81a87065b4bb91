@NullMarked
package dev.penjing.model.safetensors;

import org.jspecify.annotations.NullMarked;
