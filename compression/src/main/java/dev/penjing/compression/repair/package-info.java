/// Repair in closed form of what a cut tears: norm gains, readers, and least-squares refits of the
/// matrices that read what was cut, layer by layer, without a gradient. Start at [Repair].
@NullMarked
package dev.penjing.compression.repair;

import org.jspecify.annotations.NullMarked;
