/// How fast the hot paths are, beside whom.
@NullMarked
package dev.penjing.bench;

import org.jspecify.annotations.NullMarked;
