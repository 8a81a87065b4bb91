package dev.penjing.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorldTest {
    private static final World WORLD = World.standard();
    private static final List<Question> ITEMS = Questions.of(WORLD, 5, 100);

    @TempDir Path folder;

    @Test
    void aSeedIsAText() throws IOException {
        WorldFiles.write(folder.resolve("a"), 3, 200_000);
        WorldFiles.write(folder.resolve("b"), 3, 200_000);
        WorldFiles.write(folder.resolve("c"), 4, 200_000);
        for (String file : new String[] {"train.jsonl", "heldout.jsonl", "items.jsonl"}) {
            String a = Files.readString(folder.resolve("a").resolve(file));
            assertThat(Files.readString(folder.resolve("b").resolve(file))).isEqualTo(a);
            assertThat(Files.readString(folder.resolve("c").resolve(file))).isNotEqualTo(a);
        }
        assertThat(Files.readAllLines(folder.resolve("a/items.jsonl")))
                .isEqualTo(Questions.of(WORLD, 5, 100).stream().map(Questions::line).toList());
    }

    @Test
    void noItemStandsInTheTrainingText() {
        Documents training = Documents.telling(WORLD, 1);
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            all.append(training.next()).append('\n');
        }
        String text = all.toString();
        for (Question item : ITEMS) {
            assertThat(text).doesNotContain(item.context() + " ");
        }
    }

    /// Sums come up in many forms; none in training is of a pair that is held out.
    @Test
    void noHeldOutSumIsTrainedOn() {
        Documents training = Documents.telling(WORLD, 2);
        Pattern plain = Pattern.compile("(\\d+) ([+-]) (\\d+)(?: = |\\)\nOutput: )(\\d+)");
        int seen = 0;
        for (int i = 0; i < 20_000; i++) {
            Matcher matcher = plain.matcher(training.next());
            while (matcher.find()) {
                Sum sum =
                        new Sum(
                                Integer.parseInt(matcher.group(1)),
                                matcher.group(2).equals("+"),
                                Integer.parseInt(matcher.group(3)));
                assertThat(sum.result()).isEqualTo(Integer.parseInt(matcher.group(4)));
                assertThat(Draw.isHeldOut(sum.key())).isFalse();
                seen++;
            }
        }
        assertThat(seen).isGreaterThan(1000);
    }

    @Test
    void answersAreRight() {
        for (Question item : ITEMS) {
            if (item instanceof Question.ShortAnswer free) {
                switch (item.task()) {
                    case "word_problem" -> {
                        Matcher m =
                                Pattern.compile("has (\\d+) .*? (\\d+) .*").matcher(free.context());
                        assertThat(m.find()).isTrue();
                        int a = Integer.parseInt(m.group(1));
                        int b = Integer.parseInt(m.group(2));
                        boolean more = free.context().contains("more");
                        assertThat(free.answer()).isEqualTo(Integer.toString(more ? a + b : a - b));
                    }
                    case "program_output" ->
                            assertThat(free.answer()).isEqualTo(Interpreter.run(free.context()));
                    case "program_completion" ->
                            assertThat(Interpreter.meaning(free.context(), 6))
                                    .isEqualTo(Interpreter.evaluate(free.answer(), 6));
                    default -> throw new AssertionError(item.task());
                }
            }
        }
    }

    /// What the tiny programs mean, worked out independently of how they were made.
    private static final class Interpreter {
        static String run(String context) {
            Map<String, Integer> variables = new HashMap<>();
            for (String line : context.lines().toList()) {
                Matcher set = Pattern.compile("(\\w) = (.+)").matcher(line);
                Matcher print = Pattern.compile("print\\((.+)\\)").matcher(line);
                if (set.matches()) {
                    variables.put(set.group(1), sum(set.group(2), variables));
                } else if (print.matches()) {
                    return Integer.toString(sum(print.group(1), variables));
                }
            }
            throw new AssertionError(context);
        }

        private static int sum(String expression, Map<String, Integer> variables) {
            String[] parts = expression.split(" ");
            int value = atom(parts[0], variables);
            for (int i = 1; i < parts.length; i += 2) {
                int next = atom(parts[i + 1], variables);
                value = parts[i].equals("+") ? value + next : value - next;
            }
            return value;
        }

        private static int atom(String text, Map<String, Integer> variables) {
            return variables.containsKey(text) ? variables.get(text) : Integer.parseInt(text);
        }

        /// What the comment above a function says it returns for `x`.
        static int meaning(String context, int x) {
            String words = context.substring("# Returns ".length(), context.indexOf(".\n"));
            Matcher m;
            if ((m = Pattern.compile("\\w plus (\\d+)").matcher(words)).matches()) {
                return x + number(m, 1);
            } else if ((m = Pattern.compile("\\w minus (\\d+)").matcher(words)).matches()) {
                return x - number(m, 1);
            } else if ((m = Pattern.compile("(\\d+) times \\w").matcher(words)).matches()) {
                return number(m, 1) * x;
            } else if ((m =
                            Pattern.compile("(\\d+) times the sum of \\w and (\\d+)")
                                    .matcher(words))
                    .matches()) {
                return number(m, 1) * (x + number(m, 2));
            } else if ((m = Pattern.compile("(\\d+) more than (\\d+) times \\w").matcher(words))
                    .matches()) {
                return number(m, 2) * x + number(m, 1);
            } else if ((m = Pattern.compile("whether \\w is more than (\\d+)").matcher(words))
                    .matches()) {
                return x > number(m, 1) ? 1 : 0;
            }
            throw new AssertionError(words);
        }

        static int evaluate(String expression, int x) {
            Matcher m;
            if ((m = Pattern.compile("\\w \\+ (\\d+)").matcher(expression)).matches()) {
                return x + number(m, 1);
            } else if ((m = Pattern.compile("\\w - (\\d+)").matcher(expression)).matches()) {
                return x - number(m, 1);
            } else if ((m = Pattern.compile("(\\d+) \\* \\w").matcher(expression)).matches()) {
                return number(m, 1) * x;
            } else if ((m = Pattern.compile("(\\d+) \\* \\(\\w \\+ (\\d+)\\)").matcher(expression))
                    .matches()) {
                return number(m, 1) * (x + number(m, 2));
            } else if ((m = Pattern.compile("(\\d+) \\* \\w \\+ (\\d+)").matcher(expression))
                    .matches()) {
                return number(m, 1) * x + number(m, 2);
            } else if ((m = Pattern.compile("\\w > (\\d+)").matcher(expression)).matches()) {
                return x > number(m, 1) ? 1 : 0;
            }
            throw new AssertionError(expression);
        }

        private static int number(Matcher m, int group) {
            return Integer.parseInt(m.group(group));
        }
    }

    /// Guessing by place, by length, or without reading the question does not help much.
    @Test
    void simpleTricksDoNotHelp() {
        Map<String, double[]> tricks = new HashMap<>();
        Set<String> tasks = new HashSet<>();
        for (Question item : ITEMS) {
            tasks.add(item.task());
            if (item instanceof Question.MultipleChoice choice) {
                double[] t = tricks.computeIfAbsent(item.task(), k -> new double[4]);
                List<String> choices = choice.choices();
                int shortest = 0;
                for (int i = 1; i < choices.size(); i++) {
                    shortest =
                            choices.get(i).length() < choices.get(shortest).length() ? i : shortest;
                }
                t[0]++;
                t[1] += 1.0 / choices.size();
                t[2] += choice.answer() == 0 ? 1 : 0;
                t[3] += choice.answer() == shortest ? 1 : 0;
                assertThat(choices).doesNotHaveDuplicates();
            }
        }
        assertThat(tasks).containsExactlyInAnyOrderElementsOf(Exercises.TASKS);
        tricks.forEach((task, t) -> {
            assertThat(t[2] / t[0]).as(task + " first").isCloseTo(t[1] / t[0], within(0.2));
            assertThat(t[3] / t[0]).as(task + " shortest").isCloseTo(t[1] / t[0], within(0.25));
        });
    }
}
