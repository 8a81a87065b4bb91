/// What makes a result comparable with another: which arithmetic computed it, and of which content.
/// Start with `Arithmetic`, and with `Fingerprint`, which turns named values into the key of a
/// cache.
@NullMarked
package dev.penjing.model.identity;

import org.jspecify.annotations.NullMarked;
