package dev.penjing.world;

import java.util.List;
import java.util.Optional;

/// Tiny programs: what one prints, and how one goes on.
final class TinyPrograms {
    private static final List<String> NAMES = List.of("x", "y", "n", "a", "b", "k");

    private TinyPrograms() {}

    static Exercise output(Draw draw) {
        Sum sum = Sum.drawn(draw, 20);
        String x = draw.of(NAMES);
        String y = draw.other(NAMES, List.of(x));
        String sign = sum.plus() ? " + " : " - ";
        String program =
                switch (draw.below(4)) {
                    case 0 -> "print(" + sum.a() + sign + sum.b() + ")";
                    case 1 -> x + " = " + sum.a() + "\nprint(" + x + sign + sum.b() + ")";
                    case 2 ->
                            x
                                    + " = "
                                    + sum.a()
                                    + "\n"
                                    + y
                                    + " = "
                                    + x
                                    + sign
                                    + sum.b()
                                    + "\nprint("
                                    + y
                                    + ")";
                    default ->
                            x
                                    + " = "
                                    + sum.a()
                                    + "\n"
                                    + y
                                    + " = "
                                    + sum.b()
                                    + "\nprint("
                                    + x
                                    + sign
                                    + y
                                    + ")";
                };
        String answer = Integer.toString(sum.result());
        return new Exercise(
                "program_output",
                "Program:\n" + program + "\nOutput:",
                answer,
                List.of(),
                Optional.of(
                        new Exercise.Talk(
                                "What does this print?\n" + program, "It prints " + answer + ".")));
    }

    /// A function of one number, in words, as a name, and as an expression.
    private record Function(String words, String name, String expression) {}

    static Exercise completion(Draw draw) {
        String x = draw.of(NAMES);
        Function function = draw.keyed(() -> function(draw, x), f -> "def|" + f.name());
        String head =
                "# Returns "
                        + function.words()
                        + ".\ndef "
                        + function.name()
                        + "("
                        + x
                        + "):\n    return";
        return new Exercise(
                "program_completion",
                head,
                function.expression(),
                List.of(),
                Optional.of(
                        new Exercise.Talk(
                                "Write a function that returns " + function.words() + ".",
                                "def "
                                        + function.name()
                                        + "("
                                        + x
                                        + "):\n    return "
                                        + function.expression())));
    }

    private static Function function(Draw draw, String x) {
        int n = draw.between(1, 30);
        int m = draw.between(2, 9);
        return switch (draw.below(6)) {
            case 0 -> new Function(x + " plus " + n, "plus_" + n, x + " + " + n);
            case 1 -> new Function(x + " minus " + n, "minus_" + n, x + " - " + n);
            case 2 -> new Function(n + " times " + x, "times_" + n, n + " * " + x);
            case 3 ->
                    new Function(
                            m + " times the sum of " + x + " and " + n,
                            "plus_" + n + "_times_" + m,
                            m + " * (" + x + " + " + n + ")");
            case 4 ->
                    new Function(
                            n + " more than " + m + " times " + x,
                            "times_" + m + "_plus_" + n,
                            m + " * " + x + " + " + n);
            default ->
                    new Function(
                            "whether " + x + " is more than " + n, "above_" + n, x + " > " + n);
        };
    }
}
