/// Pretraining and distillation of a decoder: the loop, its losses, optimizer and checkpoints.
/// Start at [Trainer]; an [Objective] is the loss, [HeadLoss] runs it through a batch, and
/// [LoopHooks] is the seam for several processes that share each batch.
@NullMarked
package dev.penjing.compression.training;

import org.jspecify.annotations.NullMarked;
