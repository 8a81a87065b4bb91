/// Implementation of the engine; callers use `dev.penjing.inference`. Speculative decoding: a small
/// draft model proposes tokens that the large one checks in one pass. Start with
/// [dev.penjing.inference.speculation.Drafter]; [dev.penjing.inference.speculation.DraftGain] says
/// when it pays.
@NullMarked
package dev.penjing.inference.speculation;

import org.jspecify.annotations.NullMarked;
