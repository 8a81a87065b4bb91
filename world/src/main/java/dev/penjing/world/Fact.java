package dev.penjing.world;

import java.util.List;

/// One thing that is so in the world.
///
/// @param relation what kind of fact
/// @param subject what it is about, as it stands in sentences
/// @param pronoun `it`, `she` or `he`, or empty if the fact is never told with a pronoun
/// @param answer the short answer to each of the questions
/// @param questions ways to ask for it
/// @param statements ways to tell it; the first is the plainest
/// @param followUp how to ask for it once the subject has been named, or empty
/// @param followTold the plainest statement with a pronoun for the subject, or empty
/// @param pool the answers to the same question about others, this answer among them
record Fact(
        String relation,
        String subject,
        String pronoun,
        String answer,
        List<String> questions,
        List<String> statements,
        String followUp,
        String followTold,
        List<String> pool) {
    /// A fact and one way to ask for it.
    record Asked(Fact fact, String question) {
        String key() {
            return "asked|" + question;
        }
    }

    List<Asked> asked() {
        return questions.stream().map(question -> new Asked(this, question)).toList();
    }

    String told() {
        return statements.getFirst();
    }
}
