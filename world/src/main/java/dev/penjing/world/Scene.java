package dev.penjing.world;

import java.util.List;

/// A little story: how it begins, how it ends, how it might wrongly be thought to end, and what it
/// is about.
record Scene(
        String setup,
        String ending,
        List<String> wrongEndings,
        String summary,
        List<String> wrongSummaries) {
    Scene(String setup, String ending, List<String> wrongEndings) {
        this(setup, ending, wrongEndings, "", List.of());
    }

    String story() {
        return setup + " " + ending;
    }
}
