@NullMarked
package dev.penjing.model.tokenizer;

import org.jspecify.annotations.NullMarked;
