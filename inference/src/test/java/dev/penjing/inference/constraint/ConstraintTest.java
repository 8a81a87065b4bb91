package dev.penjing.inference.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.model.tokenizer.BpeTrainer;
import dev.penjing.model.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConstraintTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// Its tokens hold several signs of JSON's, and parts of characters.
    static final Tokenizer TOKENIZER = tokenizer(700);

    static final int END = TOKENIZER.id("<|endoftext|>").orElseThrow();
    static final Constraints CONSTRAINTS =
            new Constraints(TOKENIZER, List.of(END), TOKENIZER.vocabularySize() + 5);

    static Tokenizer tokenizer(int size) {
        List<String> texts = new ArrayList<>();
        Random random = new Random(1);
        for (int i = 0; i < 300; i++) {
            texts.add(
                    "{\"name\": \"cat %d\", \"next\":{\"x\":[[],{}],\"value\":-%d.5e3,\"é\":\"世界🙂\"}}\n  \"a\\n\\u00e9\": null,\n    true, [[1,2],[3]]}]"
                            .formatted(i, random.nextInt(99999)));
        }
        return BpeTrainer.trainByteLevel(texts, size, List.of("<|endoftext|>", "<|other|>"));
    }

    static List<Examples.Example> examples() {
        return Examples.all();
    }

    private static State run(Automaton automaton, byte[] bytes, int count) {
        return automaton.step(automaton.start(), Arrays.copyOf(bytes, count), Work.unlimited());
    }

    @ParameterizedTest
    @MethodSource("examples")
    void documentsAreReadAsFarAsTheyFit(Examples.Example example) {
        Automaton automaton = new Automaton(Constraint.schema(example.schema()).grammar());
        JsonValidator validator = new JsonValidator(JSON.readTree(example.schema()));
        for (String text : example.right()) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            State state = run(automaton, bytes, bytes.length);
            assertThat(state.complete).as(text).isTrue();
            assertThat(validator.fits(JSON.readTree(text))).as(text).isTrue();
        }
        for (String text : example.wrong()) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            assertThat(run(automaton, bytes, bytes.length - 1)).as(text).isNotSameAs(State.DEAD);
            assertThat(run(automaton, bytes, bytes.length)).as(text).isSameAs(State.DEAD);
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void documentsAreReadTokenByToken(Examples.Example example) {
        for (String text : example.right()) {
            Matcher matcher = CONSTRAINTS.begin(Constraint.schema(example.schema()));
            for (int id : TOKENIZER.encode(text)) {
                assertThat(allowed(matcher, id)).as(text).isTrue();
                assertThat(matcher.accept(id)).isTrue();
            }
            assertThat(matcher.complete()).isTrue();
            assertThat(allowed(matcher, END)).isTrue();
            assertThat(matcher.accept(END)).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"a\":1,\"a",
                "{\"a\":{\"b\":[\"a\"]},\"\\u0061",
                "{\"x\":{\"a\":1,\"b\":{},\"a"
            })
    void noNameComesTwiceInAnObject(String beginning) {
        Matcher matcher = CONSTRAINTS.begin(Constraint.json());
        for (byte octet : beginning.getBytes(StandardCharsets.UTF_8)) {
            int id = TOKENIZER.encode(Character.toString((char) octet))[0];
            assertThat(allowed(matcher, id)).isTrue();
            assertThat(matcher.accept(id)).isTrue();
        }
        int quote = TOKENIZER.encode("\"")[0];
        assertThat(allowed(matcher, quote)).isFalse();
        assertThat(matcher.accept(quote)).isFalse();
        int other = TOKENIZER.encode("c")[0];
        assertThat(matcher.accept(other)).isTrue();
        assertThat(allowed(matcher, quote)).isTrue();
        assertThat(matcher.accept(quote)).isTrue();
    }

    private static boolean allowed(Matcher matcher, int id) {
        return (matcher.mask()[id >> 6] >>> id & 1) != 0;
    }

    /// Draws tokens as a model might, with a liking for what ends.
    static String walk(Matcher matcher, Random random, int most, boolean check) {
        List<Integer> ids = new ArrayList<>();
        while (ids.size() < most && !matcher.ended()) {
            if (check) {
                assertThat(BitSet.valueOf(matcher.mask())).isEqualTo(bruteForce(matcher));
            }
            int[] all = BitSet.valueOf(matcher.mask()).stream().toArray();
            assertThat(all).isNotEmpty();
            int id = all[random.nextInt(all.length)];
            for (int tries = 0; tries < 20 && ids.size() > 30 && !closes(id); tries++) {
                id = all[random.nextInt(all.length)];
            }
            assertThat(matcher.accept(id)).isTrue();
            if (id == END) {
                break;
            }
            ids.add(id);
        }
        return TOKENIZER.decode(ids.stream().mapToInt(Integer::intValue).toArray(), true);
    }

    private static boolean closes(int id) {
        byte[] bytes = TOKENIZER.bytes(id);
        return id == END || bytes.length > 0 && "\"}]".indexOf(bytes[bytes.length - 1]) >= 0;
    }

    private static BitSet bruteForce(Matcher matcher) {
        BitSet bits = new BitSet();
        for (int id = 0; id < TOKENIZER.vocabularySize(); id++) {
            if (id == END ? matcher.complete() : matcher.copy().accept(id)) {
                bits.set(id);
            }
        }
        return bits;
    }

    @ParameterizedTest
    @MethodSource("examples")
    void whatTheMasksLeadToFits(Examples.Example example) {
        Constraint constraint = Constraint.schema(example.schema());
        JsonValidator validator = new JsonValidator(JSON.readTree(example.schema()));
        int complete = 0;
        for (int seed = 0; seed < 200; seed++) {
            Matcher matcher = CONSTRAINTS.begin(constraint);
            String text = walk(matcher, new Random(seed), 400, false);
            if (matcher.complete()) {
                complete++;
                JsonNode value = JSON.readTree(text);
                assertThat(validator.fits(value)).as("%s: %s", example.schema(), text).isTrue();
            }
        }
        // only a model that knows what it wants finds the end of this one
        assertThat(complete).isGreaterThan(example.schema().contains("b.d") ? -1 : 20);
    }

    @ParameterizedTest
    @MethodSource("examples")
    void masksAreWhatTryingEveryTokenGives(Examples.Example example) {
        Constraint constraint = Constraint.schema(example.schema());
        for (int seed = 0; seed < 3; seed++) {
            walk(CONSTRAINTS.begin(constraint), new Random(seed), 40, true);
        }
        for (String text : example.right().subList(0, Math.min(8, example.right().size()))) {
            Matcher matcher = CONSTRAINTS.begin(constraint);
            int[] ids = TOKENIZER.encode(text);
            for (int i = 0; i < Math.min(60, ids.length); i++) {
                assertThat(BitSet.valueOf(matcher.mask())).isEqualTo(bruteForce(matcher));
                matcher.accept(ids[i]);
            }
        }
    }

    @Test
    void countsNearTheirLimitsHaveMasksOfTheirOwn() {
        Constraint constraint =
                Constraint.schema("{\"type\": \"string\", \"minLength\": 90, \"maxLength\": 130}");
        Matcher matcher = CONSTRAINTS.begin(constraint);
        int quote = TOKENIZER.encode("\"")[0];
        int x = TOKENIZER.encode("x")[0];
        matcher.accept(quote);
        for (int i = 0; i <= 130; i++) {
            assertThat(BitSet.valueOf(matcher.mask())).isEqualTo(bruteForce(matcher));
            assertThat(allowed(matcher, quote)).isEqualTo(i >= 90);
            assertThat(matcher.accept(x)).isEqualTo(i < 130);
        }
    }

    @Test
    void specialTokensNeverComeAndTheEndOnlyBehindAValue() {
        Matcher matcher = CONSTRAINTS.begin(Constraint.json());
        int other = TOKENIZER.id("<|other|>").orElseThrow();
        for (int id : TOKENIZER.encode("{\"a\": \"")) {
            assertThat(allowed(matcher, END)).isFalse();
            assertThat(allowed(matcher, other)).isFalse();
            assertThat(matcher.accept(END)).isFalse();
            assertThat(matcher.accept(other)).isFalse();
            assertThat(matcher.accept(id)).isTrue();
        }
        assertThat(allowed(matcher, other)).isFalse();
        for (int id : TOKENIZER.encode("b\"}")) {
            matcher.accept(id);
        }
        assertThat(matcher.ended()).isTrue();
        BitSet only = new BitSet();
        only.set(END);
        assertThat(BitSet.valueOf(matcher.mask())).isEqualTo(only);
    }

    @ParameterizedTest
    @ValueSource(ints = {258, 270, 300})
    void tokensThatSplitCharactersMakeWholeOnes(int size) {
        Tokenizer small = tokenizer(size);
        int end = small.id("<|endoftext|>").orElseThrow();
        Constraints constraints = new Constraints(small, List.of(end), small.vocabularySize());
        Constraint constraint =
                Constraint.schema(
                        "{\"type\": \"string\", \"pattern\": \"^[\\u0080-\\u{ff}é世🙂-🙏]+$\"}"
                                .replace("\\u{ff}", "\\u00ff"));
        Random random = new Random(5);
        for (int run = 0; run < 200; run++) {
            Matcher matcher = constraints.begin(constraint);
            java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
            while (!matcher.ended() && out.size() < 200) {
                int[] all = BitSet.valueOf(matcher.mask()).stream().toArray();
                int id = all[random.nextInt(all.length)];
                assertThat(matcher.accept(id)).isTrue();
                out.writeBytes(small.bytes(id));
            }
            String text = out.toString(StandardCharsets.UTF_8);
            if (matcher.ended()) {
                assertThat(text).doesNotContain("\ufffd").endsWith("\"");
                assertThat(JSON.readTree(text).stringValue()).matches("[\\x{80}-\\x{ff}é世🙂-🙏]+");
            }
        }
    }

    @Test
    void equalSchemasShareTheirMasks() {
        Constraint a = Constraint.schema("{\"type\": \"integer\"}");
        Constraint b = Constraint.schema(JSON.readTree("{ \"type\":\"integer\" }"));
        assertThat(a).isEqualTo(b).hasSameHashCodeAs(b);
        assertThat(CONSTRAINTS.masks(a)).isSameAs(CONSTRAINTS.masks(b));
    }
}
