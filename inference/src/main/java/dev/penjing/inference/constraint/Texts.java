package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.PriorityQueue;
import java.util.Set;

/// Makes grammars of answers that are plain text.
final class Texts {
    private static final int MOST_BYTES = 16_384;
    private static final String EXPRESSION = "the regular expression";

    /// States of an expression that are tried, and the steps that they may take. Expressions in use
    /// take a tenth of that; with more, a mask would take tenths of a second.
    private static final int MOST_TRIED = 500;

    private static final long MOST_WORK = 250_000;

    private Texts() {}

    /// @throws UsageException if that is no regular expression, says something that is not
    ///   supported, is too large or too ambiguous, or matches nothing or the empty text alone
    static Grammar matching(String pattern) {
        Grammar.Builder builder = new Grammar.Builder(EXPRESSION);
        int rule = builder.rule(EXPRESSION);
        Expr expr = RegularExpression.plain(pattern, EXPRESSION);
        builder.define(rule, builder.emit(expr, Grammar.RETURN));
        Grammar grammar = builder.build();
        if (!grammar.fits()) {
            throw new UsageException(
                    "no text matches the regular expression: look for an empty class, or half of a character");
        }
        Automaton automaton = new Automaton(grammar);
        if (automaton.start().ended()) {
            throw new UsageException(
                    "the regular expression matches the empty text alone: give one that an answer can match");
        }
        if (!bearable(automaton)) {
            throw new UsageException(
                    "the regular expression can match one text in too many ways: take out repetitions of what is itself repeated or optional, and those that overlap what follows");
        }
        return grammar;
    }

    /// Whether no text was found that may be read in more ways than an automaton keeps, or in so
    /// many that it takes long. Those with the most ways so far are tried first.
    private static boolean bearable(Automaton automaton) {
        try {
            return bearable(automaton, Work.of(MOST_WORK * Work.STEP));
        } catch (Work.TooMuch e) {
            return false;
        }
    }

    private static boolean bearable(Automaton automaton, Work work) {
        PriorityQueue<State> todo =
                new PriorityQueue<>(Comparator.comparingInt(state -> -state.ways.size()));
        Set<State> seen = new HashSet<>();
        todo.add(automaton.start());
        while (!todo.isEmpty() && seen.size() < MOST_TRIED) {
            State state = todo.remove();
            if (!seen.add(state)) {
                continue;
            }
            Set<BitSet> tried = new HashSet<>();
            for (int octet = 0; octet < 256; octet++) {
                // bytes that the same ways read lead to the same state
                if (tried.add(automaton.readers(state, octet))) {
                    todo.add(automaton.step(state, octet, work));
                }
                if (work.wasCut()) {
                    return false;
                }
            }
        }
        return true;
    }

    /// @param texts at least one
    /// @throws UsageException if one is empty or no Unicode, or they are too large
    static Grammar choice(Collection<String> texts) {
        long size = 0;
        for (String text : texts) {
            if (text.isEmpty()) {
                throw new UsageException(
                        "a choice is the empty text, which is no answer: take it out");
            }
            if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
                throw new UsageException(
                        "a choice holds half of a character (an unpaired surrogate): mend it");
            }
            size += text.getBytes(StandardCharsets.UTF_8).length;
        }
        if (texts.isEmpty()) {
            throw new UsageException("there are no choices: give at least one text");
        }
        if (size > MOST_BYTES) {
            throw new UsageException(
                    "the choices have %,d bytes, more than %,d: give fewer, or shorter ones"
                            .formatted(size, MOST_BYTES));
        }
        Grammar.Builder builder = new Grammar.Builder("the list of choices");
        builder.define(builder.rule("choices"), builder.emitTexts(texts));
        return builder.build();
    }
}
