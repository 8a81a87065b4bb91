package dev.penjing.world;

import java.util.List;

/// A question to a model.
public sealed interface Question {
    /// Which of the nine kinds.
    String task();

    /// What stands before the answer; the answer begins with a blank.
    String context();

    /// One of the choices is right: the model's is the one it finds most likely.
    record MultipleChoice(String task, String context, List<String> choices, int answer)
            implements Question {}

    /// The model writes one line, which must be the answer.
    record ShortAnswer(String task, String context, String answer) implements Question {}
}
