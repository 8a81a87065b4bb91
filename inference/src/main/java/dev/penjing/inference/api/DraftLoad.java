package dev.penjing.inference.api;

/// What a draft model did since the engine was loaded (speculative decoding).
///
/// @param proposed tokens that the model looked at
/// @param accepted of these, those behind which an answer went on
/// @param freeBlocks of the draft's own key-value cache
/// @param blocks of it in all
public record DraftLoad(long proposed, long accepted, int freeBlocks, int blocks) {
    /// Without a draft.
    public static final DraftLoad NONE = new DraftLoad(0, 0, 0, 0);
}
