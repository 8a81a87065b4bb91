/// A small made-up world of people, places and facts, told in English documents to train a small
/// model on and asked about in questions to measure it by; the same seed gives the same bytes.
/// Start with `WorldFiles`, then `World`, `Documents` and `Questions`.
@NullMarked
package dev.penjing.world;

import org.jspecify.annotations.NullMarked;
