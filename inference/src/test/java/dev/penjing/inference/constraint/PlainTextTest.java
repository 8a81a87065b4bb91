package dev.penjing.inference.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.penjing.model.UsageException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Answers that are plain text: regular expressions and choices.
class PlainTextTest {
    private static final List<String> ANSWERS =
            List.of("yes please", "no", "yes", "né", "世界", "\"x\"");

    static Stream<Constraint> constraints() {
        return Stream.concat(
                Stream.of(
                                "\\d{3}-\\d{4}",
                                "(cat|\\{\"name\": )*[^a-f]{1,9}",
                                "[\\s\\S]{2,40}\\.",
                                "(?:世|é|🙂|\\\\n){3}\"?",
                                "-?[1-9]\\d*(?:\\.\\d+)?")
                        .map(Constraint::regex),
                Stream.of(Constraint.choice(ANSWERS), Constraint.choice(List.of("true"))));
    }

    @ParameterizedTest
    @MethodSource("constraints")
    void masksAreWhatTryingEveryTokenGives(Constraint constraint) {
        for (int seed = 0; seed < 10; seed++) {
            ConstraintTest.walk(
                    ConstraintTest.CONSTRAINTS.begin(constraint), new Random(seed), 40, true);
        }
    }

    private static boolean reads(Constraint constraint, String text) {
        Automaton automaton = new Automaton(constraint.grammar());
        byte[] octets = text.getBytes(StandardCharsets.UTF_8);
        return automaton.step(automaton.start(), octets, Work.unlimited()).complete;
    }

    /// Random expressions of what both sides write alike.
    private static String pattern(Random random, int depth) {
        StringBuilder all = new StringBuilder();
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            all.append(
                    switch (random.nextInt(depth > 0 ? 9 : 6)) {
                        case 0 -> "a";
                        case 1 -> "\\d";
                        case 2 -> "[^ab\\s]";
                        case 3 -> "[b-dé]";
                        case 4 -> ".";
                        case 5 -> "\\n";
                        case 6 -> "(" + pattern(random, depth - 1) + ")";
                        case 7 -> "(?:%s|%s)".formatted(pattern(random, depth - 1), "bc");
                        default -> "(?<n%d>%s|)".formatted(random.nextInt(1 << 30), "é");
                    });
            all.append(
                    List.of("", "", "", "?", "*", "+", "{2}", "{1,3}", "{2,}", "*?")
                            .get(random.nextInt(10)));
        }
        return all.toString();
    }

    @Test
    void answersToRandomPatternsMatchThem() {
        Random random = new Random(4);
        int whole = 0;
        for (int i = 0; i < 400; i++) {
            String text = pattern(random, 2);
            Pattern pattern = Pattern.compile(text, Pattern.UNIX_LINES);
            String anchored = (i % 2 == 0 ? "^" : "") + text + (i % 3 == 0 ? "$" : "");
            Constraint constraint;
            try {
                constraint = Constraint.regex(anchored);
            } catch (UsageException e) {
                assertThat(e).hasMessageContaining("too many ways");
                continue;
            }
            for (int run = 0; run < 5; run++) {
                Matcher matcher = ConstraintTest.CONSTRAINTS.begin(constraint);
                String answer = ConstraintTest.walk(matcher, random, 30, false);
                if (matcher.complete()) {
                    whole++;
                    assertThat(answer).as(anchored).matches(pattern);
                }
            }
            for (int run = 0; run < 50; run++) {
                String some =
                        random.ints(random.nextInt(7), 0, 8)
                                .mapToObj("abcdé1\n "::charAt)
                                .map(String::valueOf)
                                .collect(Collectors.joining());
                assertThat(reads(constraint, some))
                        .as("%s: '%s'", anchored, some)
                        .isEqualTo(pattern.matcher(some).matches());
            }
        }
        assertThat(whole).isGreaterThan(1000);
    }

    @ParameterizedTest
    @CsvSource({
        "a+, aaa, true",
        "^a+, aaa, true",
        "a+$, aaa, true",
        "^a+$, aaa, true",
        "a+, aab, false",
        "\\p{Sc}5, €5, true",
        "\\p{Sc}5, x5, false",
        "a+, baa, false",
        "a|bc, bc, true",
        "^a$|^bc$, bc, true",
        "a|bc, ac, false",
        "[\"], '\"', true",
        "\\\\, \\, true",
        "\\\\, \\\\, false"
    })
    void theWholeTextMatchesAsItIs(String pattern, String text, boolean matches) {
        assertThat(reads(Constraint.regex(pattern), text)).isEqualTo(matches);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "(?=a) | looks ahead",
                "(?!a) | looks ahead",
                "(?<=a) | looks ahead or behind",
                "(?<!a) | looks ahead or behind",
                "(?i)a | group (?i",
                "(?P<x>a) | group (?P",
                "(?>a) | group (?>",
                "(? | too early",
                "a\\bc | word border",
                "(a)\\1 | escape \\1",
                "\\p{Greek} | has the category Greek",
                "\\p{Lx} | which is none",
                "\\Aa | escape \\A",
                "a++ | possessive",
                "a** | repeats a repetition",
                "a$b | anchor in the middle",
                "a^b | anchor in the middle",
                "(^a) | anchor in a group",
                "a) | a ')' too many",
                "(a | lacks a ')'",
                "[a | too early",
                "a{3 | repetition",
                "[] | no text matches",
                "\\ud800 | no text matches",
                "`` | empty text alone",
                "()* | empty text alone"
            })
    void whatIsNotUnderstoodIsNamed(String pattern, String what) {
        assertThatThrownBy(() -> Constraint.regex(pattern))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("the regular expression")
                .hasMessageContaining(what);
    }

    static List<String> hostile() {
        return List.of(
                "(a{1000}){1000}",
                "(((a{1,1000}){1,1000}){1,1000})*",
                "(a{1,700}){1,700}",
                "(.*\\w.{0,30}){1,10}",
                ".*[aeiou].{500}",
                "([a-z]|[b-z])*#(.{1,300}){1,300}",
                "((((((((((a?){2}){2}){2}){2}){2}){2}){2}){2}){2}){2}",
                ".".repeat(10_000),
                "a".repeat(10_001),
                "a?".repeat(5_000),
                "(" + "a?".repeat(4_990) + ")*",
                "(" + "a?".repeat(700) + "(" + "|".repeat(7_000) + "))*",
                "(".repeat(5_000),
                "(".repeat(65) + "a" + ")".repeat(65),
                "(".repeat(64) + "a?" + ")*".repeat(64),
                "(a?b?c?".repeat(60) + "){1,2}".repeat(60),
                "|".repeat(10_000),
                "[^x]".repeat(2_000) + "(",
                "\\D".repeat(4_999) + "(");
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void hostilePatternsAreSoonRefused(String pattern) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(30),
                () ->
                        assertThatThrownBy(() -> Constraint.regex(pattern))
                                .isInstanceOf(UsageException.class)
                                .hasMessageContaining("the regular expression")
                                .hasMessageNotContaining("\n"));
    }

    @Test
    void largePatternsOfGoodWillAreUsed() {
        String words =
                IntStream.range(0, 700)
                        .mapToObj(i -> "w" + i * 7919)
                        .collect(Collectors.joining("|"));
        for (String pattern :
                List.of(
                        words,
                        ".{0,100000}",
                        "(a{700}){700}",
                        "(.{1,1000}\\n){1,100}",
                        "(\\w+ ?){1,50}",
                        "(- .{1,200}\\n){3,10}",
                        "([A-Z][a-z]*[.!?]? ?){1,40}",
                        "[^ ].*[^ ]",
                        "(.*,){5}.*")) {
            Matcher matcher = ConstraintTest.CONSTRAINTS.begin(Constraint.regex(pattern));
            String text = ConstraintTest.walk(matcher, new Random(1), 60, false);
            assertThat(text).as(pattern).isNotEmpty();
            if (matcher.complete()) {
                assertThat(text).matches(pattern);
            }
        }
    }

    @Test
    void everyChoiceCanComeAndNothingElse() {
        Constraint constraint = Constraint.choice(ANSWERS);
        for (String answer : ANSWERS) {
            Matcher matcher = ConstraintTest.CONSTRAINTS.begin(constraint);
            for (int id : ConstraintTest.TOKENIZER.encode(answer)) {
                assertThat(BitSet.valueOf(matcher.mask()).get(id)).as(answer).isTrue();
                assertThat(matcher.accept(id)).isTrue();
            }
            assertThat(matcher.complete()).isTrue();
        }
        Set<String> met = new HashSet<>();
        for (int seed = 0; seed < 300; seed++) {
            Matcher matcher = ConstraintTest.CONSTRAINTS.begin(constraint);
            met.add(ConstraintTest.walk(matcher, new Random(seed), 100, false));
        }
        assertThat(met).containsExactlyInAnyOrderElementsOf(ANSWERS);
    }

    @Test
    void theBeginningOfAnotherChoiceEndsByAnEndToken() {
        Matcher matcher = ConstraintTest.CONSTRAINTS.begin(Constraint.choice(ANSWERS));
        for (int id : ConstraintTest.TOKENIZER.encode("yes")) {
            matcher.accept(id);
        }
        assertThat(matcher.complete()).isTrue();
        assertThat(matcher.ended()).isFalse();
        int blank = ConstraintTest.TOKENIZER.encode(" ")[0];
        BitSet mask = BitSet.valueOf(matcher.mask());
        assertThat(mask.get(ConstraintTest.END)).isTrue();
        assertThat(mask.get(blank)).isTrue();
        Matcher other = matcher.copy();
        assertThat(matcher.accept(ConstraintTest.END)).isTrue();
        assertThat(matcher.ended()).isTrue();
        assertThat(matcher.copy().ended()).isTrue();
        for (int id : ConstraintTest.TOKENIZER.encode(" please")) {
            assertThat(other.ended()).isFalse();
            assertThat(other.accept(id)).isTrue();
        }
        assertThat(other.ended()).isTrue();
    }

    @Test
    void choicesThatAreNoneAreRefused() {
        assertThatThrownBy(() -> Constraint.choice(List.of()))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("at least one");
        assertThatThrownBy(() -> Constraint.choice(List.of("a", "")))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("take it out");
        assertThatThrownBy(() -> Constraint.choice(List.of("a\ud83d")))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("half of a character");
        Constraint.choice(List.of("é".repeat(8_192)));
        assertThatThrownBy(() -> Constraint.choice(List.of("é".repeat(8_192), "x")))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("16,385 bytes")
                .hasMessageContaining("fewer");
    }

    @Test
    void equalOnesShareTheirMasksAndKindsDiffer() {
        Constraint choice = Constraint.choice(List.of("a", "b", "a"));
        Constraint same = Constraint.choice(List.of("b", "a"));
        assertThat(choice).isEqualTo(same).hasSameHashCodeAs(same).hasToString(same.toString());
        assertThat(ConstraintTest.CONSTRAINTS.masks(choice))
                .isSameAs(ConstraintTest.CONSTRAINTS.masks(same));
        Constraint regex = Constraint.regex("true");
        assertThat(regex)
                .isEqualTo(Constraint.regex("true"))
                .hasSameHashCodeAs(Constraint.regex("true"))
                .isNotEqualTo(Constraint.regex("^true"));
        List<Constraint> kinds =
                List.of(
                        regex,
                        Constraint.choice(List.of("true")),
                        Constraint.schema("true"),
                        Constraint.schema("{\"const\":true}"));
        assertThat(new HashSet<>(kinds)).hasSize(4);
        assertThat(kinds.stream().map(Constraint::toString)).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @ValueSource(ints = {258, 270, 300})
    void tokensThatSplitCharactersMakeWholeOnes(int size) {
        dev.penjing.model.tokenizer.Tokenizer small = ConstraintTest.tokenizer(size);
        int end = small.id("<|endoftext|>").orElseThrow();
        Constraints constraints = new Constraints(small, List.of(end), small.vocabularySize());
        Constraint constraint = Constraint.regex("[^\\x00-\\x7f]{4}");
        Random random = new Random(6);
        for (int run = 0; run < 100; run++) {
            Matcher matcher = constraints.begin(constraint);
            java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
            while (!matcher.ended()) {
                int[] all = BitSet.valueOf(matcher.mask()).stream().toArray();
                int id = all[random.nextInt(all.length)];
                assertThat(matcher.accept(id)).isTrue();
                out.writeBytes(small.bytes(id));
            }
            String text = out.toString(StandardCharsets.UTF_8);
            assertThat(text.codePointCount(0, text.length())).isEqualTo(4);
            assertThat(text.getBytes(StandardCharsets.UTF_8)).isEqualTo(out.toByteArray());
        }
    }
}
