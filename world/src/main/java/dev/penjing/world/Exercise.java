package dev.penjing.world;

import java.util.List;
import java.util.Optional;

/// Something to tell, to ask, or to be asked: a piece of training text on one side of the split, an
/// item on the other.
///
/// @param task which of the nine kinds
/// @param prompt all that stands before the answer, without a blank at the end
/// @param answer the right continuation, without the blank that separates it from the prompt
/// @param wrong other continuations, for multiple choice; empty where the answer is free
/// @param chat the same as a question and an answer in a talk
record Exercise(
        String task, String prompt, String answer, List<String> wrong, Optional<Talk> chat) {
    record Talk(String question, String reply) {}

    String document() {
        return prompt + " " + answer;
    }
}
