/// Safetensors files: memory-mapped and checked when read, streamed in shards when written. Start
/// with `Checkpoint`, which is the weights of a whole model, and `SafetensorsWriter`.
@NullMarked
package dev.penjing.model.safetensors;

import org.jspecify.annotations.NullMarked;
