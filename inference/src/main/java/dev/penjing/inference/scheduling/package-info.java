/// Implementation of the engine; callers use `dev.penjing.inference`. Continuous batching: which
/// tokens of which requests go through the model in the next step. Start with
/// [dev.penjing.inference.scheduling.Scheduler]; a request on its way is a
/// [dev.penjing.inference.scheduling.Sequence].
@NullMarked
package dev.penjing.inference.scheduling;

import org.jspecify.annotations.NullMarked;
