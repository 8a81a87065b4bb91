@NullMarked
package dev.penjing.model.gguf;

import org.jspecify.annotations.NullMarked;
