package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.constraint.Constraint;
import dev.penjing.inference.constraint.Examples;
import dev.penjing.inference.constraint.JsonValidator;
import dev.penjing.model.Progress;
import dev.penjing.model.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

class ConstrainedEngineTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String PERSON =
            "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":12},"
                    + "\"age\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":150}},"
                    + "\"required\":[\"name\",\"age\"],\"additionalProperties\":false}";

    @TempDir static Path directory;
    private static Engine engine;

    @BeforeAll
    static void load() {
        TinyModel.write(directory);
        engine = Engine.load(directory, EngineOptions.DEFAULT.withThreads(2), Progress.NONE);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static int[] prompt(Random random) {
        return random.ints(1 + random.nextInt(10), 1, 280).toArray();
    }

    /// A random model seldom ends what it begins: this lets it like what ends.
    private static Map<Integer, Float> bias() {
        Map<Integer, Float> bias = new HashMap<>();
        for (String close : List.of("\"", "}", "]")) {
            bias.put(engine.tokenizer().encode(close)[0], 4f);
        }
        return bias;
    }

    private static Sampling sampling(float temperature, int topK, float topP, long seed) {
        return new Sampling(
                temperature, topK, topP, 0, 1.1f, 0.1f, 0.1f, bias(), OptionalLong.of(seed));
    }

    private static Finish run(Request request, EngineTest.Answer answer) {
        return engine.submit(request, answer).awaitEnd();
    }

    @Test
    void answersOfARandomModelFitTheirSchemas() {
        Random random = new Random(17);
        int complete = 0;
        int all = 0;
        for (Examples.Example example : Examples.all()) {
            Constraint constraint = Constraint.schema(example.schema());
            JsonValidator validator = new JsonValidator(JSON.readTree(example.schema()));
            List<EngineTest.Answer> answers = new ArrayList<>();
            List<Generation> running = new ArrayList<>();
            for (int seed = 0; seed < 12; seed++) {
                Sampling sampling =
                        sampling(
                                seed % 4 == 0 ? 0 : 1,
                                seed % 3 * 5,
                                seed % 2 == 0 ? 1 : 0.9f,
                                seed);
                EngineTest.Answer answer = new EngineTest.Answer();
                answers.add(answer);
                Request request = Request.of(prompt(random), 200, sampling).constrained(constraint);
                running.add(engine.submit(request, answer));
            }
            for (int i = 0; i < running.size(); i++) {
                all++;
                Finish finish = running.get(i).awaitEnd();
                String text = answers.get(i).text.toString();
                if (finish.reason() == Finish.Reason.STOP) {
                    complete++;
                    assertThat(validator.fits(JSON.readTree(text)))
                            .as("%s: %s", example.schema(), text)
                            .isTrue();
                } else {
                    assertThat(finish.reason()).isEqualTo(Finish.Reason.LENGTH);
                }
            }
        }
        assertThat(complete).isGreaterThan(all / 2);
    }

    @Test
    void answersOfARandomModelMatchTheirPatterns() {
        Random random = new Random(29);
        for (String pattern :
                List.of(
                        "(0[1-9]|1[0-2])/\\d{4}",
                        "the (cat|mat) sat\\.?", "[^\\n]{3,20}\\n", "[é世界🙂]{1,8}!")) {
            Constraint constraint = Constraint.regex(pattern);
            for (int seed = 0; seed < 12; seed++) {
                EngineTest.Answer answer = new EngineTest.Answer();
                Sampling sampling = sampling(seed % 4 == 0 ? 0 : 1, seed % 3 * 5, 1, seed);
                Finish finish =
                        run(
                                Request.of(prompt(random), 100, sampling).constrained(constraint),
                                answer);
                assertThat(finish.reason()).isEqualTo(Finish.Reason.STOP);
                assertThat(answer.text.toString()).matches(pattern);
            }
        }
    }

    @Test
    void answersOfARandomModelAreAmongTheChoices() {
        List<String> choices = List.of("yes", "yes please", "no");
        Random random = new Random(31);
        Set<String> met = new HashSet<>();
        for (int seed = 0; seed < 60; seed++) {
            EngineTest.Answer answer = new EngineTest.Answer();
            Request request =
                    Request.of(prompt(random), 50, Sampling.at(2, seed))
                            .constrained(Constraint.choice(choices));
            assertThat(run(request, answer).reason()).isEqualTo(Finish.Reason.STOP);
            met.add(answer.text.toString());
        }
        assertThat(met).containsExactlyInAnyOrderElementsOf(choices);
    }

    @Test
    void theSameSeedGivesTheSameTextAndNeighboursAreLeftAlone() {
        Random random = new Random(23);
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            Request plain =
                    Request.of(
                            prompt(random),
                            30,
                            i % 3 == 0 ? Sampling.GREEDY : Sampling.at(1.2f, i));
            requests.add(i % 2 == 0 ? plain : plain.constrained(Constraint.schema(PERSON)));
        }
        List<List<Integer>> alone = new ArrayList<>();
        for (Request request : requests) {
            EngineTest.Answer answer = new EngineTest.Answer();
            run(request, answer);
            alone.add(answer.ids);
        }
        List<EngineTest.Answer> answers = new ArrayList<>();
        List<Generation> running = new ArrayList<>();
        for (Request request : requests) {
            answers.add(new EngineTest.Answer());
            running.add(engine.submit(request, answers.getLast()));
        }
        running.forEach(Generation::awaitEnd);
        for (int i = 0; i < requests.size(); i++) {
            assertThat(answers.get(i).ids).as("request %d", i).isEqualTo(alone.get(i));
        }
    }

    @Test
    void noBiasBreaksTheForm() {
        int letter = engine.tokenizer().encode("z")[0];
        int end = engine.tokenizer().id("<|endoftext|>").orElseThrow();
        for (float temperature : new float[] {0, 1}) {
            Sampling sampling =
                    new Sampling(
                            temperature,
                            0,
                            1,
                            0.01f,
                            1,
                            0,
                            0,
                            Map.of(letter, 100f, end, 100f),
                            OptionalLong.of(1));
            EngineTest.Answer answer = new EngineTest.Answer();
            Constraint constraint =
                    Constraint.schema(
                            "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2,\"maxItems\":3}");
            Finish finish =
                    run(Request.of(new int[] {5}, 200, sampling).constrained(constraint), answer);
            assertThat(finish.reason()).isEqualTo(Finish.Reason.STOP);
            assertThat(JSON.readTree(answer.text.toString()).size()).isBetween(2, 3);
        }
    }

    /// A call of a function, as it is forced, in as little room as it needs: what likes line breaks
    /// and blanks above all else has no place to go on with them.
    @Test
    void aLoveOfWhiteSpaceFillsNoContext() {
        String schema =
                """
                {"anyOf": [{"type": "object", "additionalProperties": false,
                  "required": ["name", "arguments"],
                  "properties": {"name": {"const": "go"}, "arguments": {"type": "object",
                    "additionalProperties": false, "required": ["to", "fast", "at"],
                    "properties": {"to": {"enum": ["sea", "hill"]}, "fast": {"type": "boolean"},
                      "at": {"type": "array", "minItems": 2, "maxItems": 2,
                        "items": {"type": "integer", "minimum": 0, "maximum": 9}}}}}}]}
                """;
        Map<Integer, Float> bias = new HashMap<>();
        Tokenizer tokenizer = engine.tokenizer();
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            if (!tokenizer.isSpecial(id) && tokenizer.decode(new int[] {id}, false).isBlank()) {
                bias.put(id, 100f);
            }
        }
        assertThat(bias).containsKeys(tokenizer.encode("\n")[0], tokenizer.encode(" ")[0]);
        for (int seed = 0; seed < 10; seed++) {
            Sampling sampling =
                    new Sampling(seed % 2, 0, 1, 0, 1, 0, 0, bias, OptionalLong.of(seed));
            EngineTest.Answer answer = new EngineTest.Answer();
            Finish finish =
                    run(
                            Request.of(new int[] {5}, 90, sampling)
                                    .constrained(Constraint.schema(schema)),
                            answer);
            String text = answer.text.toString();
            assertThat(finish.reason()).as(text).isEqualTo(Finish.Reason.STOP);
            assertThat(text).contains("{ \"name\": \"go\", \"arguments\": { ");
            assertThat(new JsonValidator(JSON.readTree(schema)).fits(JSON.readTree(text))).isTrue();
        }
    }

    @Test
    void aFormIsFilledEarlierThanTheLeastLengthIfNothingMayFollow() {
        Request base = Request.of(new int[] {9}, 60, Sampling.GREEDY);
        EngineTest.Answer whole = new EngineTest.Answer();
        Request closed = base.atLeast(60).constrained(Constraint.schema("{\"const\":true}"));
        assertThat(run(closed, whole).reason()).isEqualTo(Finish.Reason.STOP);
        assertThat(whole.text.toString()).isEqualTo("true");
        // one that may go on, has to
        EngineTest.Answer open = new EngineTest.Answer();
        Request letters = base.atLeast(12).constrained(Constraint.regex("[a-z]{1,200}"));
        Map<Integer, Float> end =
                Map.of(engine.tokenizer().id("<|endoftext|>").orElseThrow(), 100f);
        Request eager =
                new Request(
                        letters.prompt(),
                        60,
                        12,
                        new Sampling(0, 0, 1, 0, 1, 0, 0, end, OptionalLong.empty()),
                        List.of(),
                        Set.of(),
                        false,
                        OptionalInt.empty(),
                        letters.constraint());
        Finish finish = run(eager, open);
        assertThat(finish.reason()).isEqualTo(Finish.Reason.STOP);
        assertThat(finish.newTokens()).isEqualTo(13);
        assertThat(open.text.toString()).matches("[a-z]{12,}");
    }

    @Test
    void probabilitiesAreTheModelsOwn() {
        Request plain =
                new Request(
                        new int[] {5, 6, 7},
                        1,
                        Sampling.GREEDY,
                        List.of(),
                        Set.of(),
                        true,
                        OptionalInt.of(4),
                        Optional.empty());
        EngineTest.Answer free = new EngineTest.Answer();
        EngineTest.Answer held = new EngineTest.Answer();
        run(plain, free);
        run(plain.constrained(Constraint.json()), held);
        assertThat(held.text.toString()).startsWith("{");
        assertThat(held.probabilities.getFirst().top())
                .isEqualTo(free.probabilities.getFirst().top());
        assertThat(held.probabilities.getFirst().chosen())
                .isLessThanOrEqualTo(free.probabilities.getFirst().chosen());
    }

    @Test
    void aFilledFormEndsAnAnswerEvenIfEndsAreIgnored() {
        for (String schema : List.of("{\"const\":true}", "{\"type\":\"integer\",\"minimum\":7}")) {
            EngineTest.Answer answer = new EngineTest.Answer();
            Request request =
                    new Request(
                            new int[] {9},
                            100,
                            Sampling.at(1, 2),
                            List.of(),
                            Set.of(),
                            true,
                            OptionalInt.empty(),
                            Optional.of(Constraint.schema(schema)));
            assertThat(run(request, answer).reason()).isEqualTo(Finish.Reason.STOP);
            JSON.readTree(answer.text.toString());
        }
    }
}
