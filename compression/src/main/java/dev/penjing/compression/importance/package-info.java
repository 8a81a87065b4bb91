/// How much each channel, neuron, head and layer of a model matters on a sample of text, from
/// activations alone. Start with [Scorer]; [Importance] is the result, by axis, and
/// [ImportanceFile] its public format.
@NullMarked
package dev.penjing.compression.importance;

import org.jspecify.annotations.NullMarked;
