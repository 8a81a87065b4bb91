/// Implementation of the engine; callers use `dev.penjing.inference`. Who has which block of the
/// paged key-value cache, and which blocks the prefix cache can give to another sequence: start
/// with [dev.penjing.inference.cache.BlockManager].
@NullMarked
package dev.penjing.inference.cache;

import org.jspecify.annotations.NullMarked;
