package dev.penjing.model.architecture;

/// Constants that numbers are multiplied by on their way through a decoder.
///
/// @param embedding what comes of the embedding
/// @param attention products of queries and keys
/// @param residual what attention and MLP add to the residual stream
/// @param logits what comes of the head
public record Multipliers(double embedding, double attention, double residual, double logits) {
    /// Those of most families: attention's alone, 1 / sqrt(head dimension).
    static Multipliers of(Shape shape) {
        return new Multipliers(1, 1 / Math.sqrt(shape.get(Axis.HEAD_DIM)), 1, 1);
    }
}
