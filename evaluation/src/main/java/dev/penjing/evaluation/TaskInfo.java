package dev.penjing.evaluation;

import dev.penjing.evaluation.data.DataSet;

/// What a task says of itself.
///
/// @param name as on the command line and in results, such as `winogrande`
/// @param version whose definition this is, and which edition of it
/// @param data what is read
/// @param evaluated the split that is asked
/// @param shown the split that shots are taken from
/// @param order how shots are taken
/// @param shots how many items are shown before the one that is asked, where nobody says otherwise
/// @param headline the score that the benchmark is usually reported by, as `metric,filter`
public record TaskInfo(
        String name,
        String version,
        DataSet data,
        String evaluated,
        String shown,
        ShotOrder order,
        int shots,
        String headline) {
    /// How shots are taken.
    public enum ShotOrder {
        /// The first ones of the split, for every item.
        FIRST,
        /// Drawn anew for every item.
        DRAWN,
        /// The same, one more than needed; the item itself is left out, were it among them.
        DRAWN_WITH_SPARE
    }

    /// A task as lm-evaluation-harness 0.4.13 defines it.
    ///
    /// @param edition the harness's version of the task, such as `1.0`
    public static String ofHarness(String edition) {
        return edition + " of lm-evaluation-harness";
    }
}
