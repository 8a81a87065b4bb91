package dev.penjing.model.architecture;

import java.util.OptionalInt;

/// What attention sees in one layer, and how it knows where that stands.
///
/// @param rope rotary positions; of no dimensions in a layer that has none
/// @param window how many positions it sees, if not all
public record LayerAttention(Rope rope, OptionalInt window) {}
