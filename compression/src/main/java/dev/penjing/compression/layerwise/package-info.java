/// A model walked one layer at a time over much text: one layer's weights are in memory, and the
/// hidden states lie in files. So a model of any size can be scored and repaired. Start at
/// [LayerWalk].
@NullMarked
package dev.penjing.compression.layerwise;

import org.jspecify.annotations.NullMarked;
