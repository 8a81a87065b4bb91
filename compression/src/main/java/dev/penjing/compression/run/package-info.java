/// Whole runs, each in a folder of its own: pretraining and distillation ([TrainingRun]), the chain
/// from teacher to measured student ([Compression]), and the files that they leave.
@NullMarked
package dev.penjing.compression.run;

import org.jspecify.annotations.NullMarked;
