package dev.penjing.evaluation.data;

import java.util.Optional;

/// A benchmark's data as it is published.
///
/// @param folder its name below a data folder, such as `arc_challenge`
/// @param hub its repository on the hub, such as `allenai/ai2_arc`
/// @param configuration the part of the repository, such as `ARC-Challenge` or MMLU's subject
public record DataSet(String folder, String hub, Optional<String> configuration) {}
