package dev.penjing.evaluation;

import java.util.List;
import java.util.Objects;

/// What a task makes of an item of its data: what is asked and what is right.
public sealed interface TaskItem {
    /// What stands in a prompt where the item is shown as an example.
    String question();

    /// The answer that follows there.
    String answer();

    /// What guessing scores, from 0 to 1.
    double chance();

    /// One context, several continuations.
    ///
    /// @param right indices of the right choices, at least one
    record Choices(String question, List<String> choices, List<Integer> right) implements TaskItem {
        public Choices {
            if (right.isEmpty()) {
                throw new IllegalArgumentException("no choice is right");
            }
            for (int index : right) {
                Objects.checkIndex(index, choices.size());
            }
        }

        @Override
        public String answer() {
            return choices.get(right.getFirst());
        }

        @Override
        public double chance() {
            return (double) right.size() / choices.size();
        }
    }

    /// Several contexts, one continuation.
    ///
    /// @param right index of the right context
    record Contexts(List<String> contexts, String answer, int right) implements TaskItem {
        public Contexts {
            Objects.checkIndex(right, contexts.size());
        }

        @Override
        public String question() {
            return contexts.get(right);
        }

        @Override
        public double chance() {
            return 1.0 / contexts.size();
        }
    }

    /// An answer to be written. For programs `answer` is what the written one must pass, with
    /// whatever comes between.
    record Free(String question, String answer) implements TaskItem {
        @Override
        public double chance() {
            return 0;
        }
    }
}
