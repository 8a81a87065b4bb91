package dev.penjing.compression.ranks;

import java.time.Duration;

/// How long ranks wait for each other.
///
/// @param meet until all of them are there
/// @param silence without a sign of life until a rank is taken for lost
/// @param step in one exchange for a rank that lives but does not come: rank 0 measures and writes
///   while the others wait
public record RankLimits(Duration meet, Duration silence, Duration step) {
    /// Five minutes, which is what pods may need to start; ten seconds; an hour.
    public static final RankLimits DEFAULT =
            new RankLimits(Duration.ofMinutes(5), Duration.ofSeconds(10), Duration.ofHours(1));
}
