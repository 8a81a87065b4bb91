package dev.penjing.inference.api;

/// What an engine is busy with, as of its last step.
///
/// @param running sequences
/// @param waiting requests
/// @param freeBlocks of the key-value cache, those of the prefix cache counted
/// @param blocks of it in all
public record EngineLoad(int running, int waiting, int freeBlocks, int blocks, DraftLoad draft) {}
