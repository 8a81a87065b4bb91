package dev.penjing.bench;

import dev.penjing.inference.constraint.Constraint;
import dev.penjing.inference.constraint.Constraints;
import dev.penjing.inference.constraint.Matcher;
import dev.penjing.model.PenjingException;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// What a constrained answer of some 80 tokens costs: all its masks, each token taken.
///
/// | benchmark | an operation |
/// | --- | --- |
/// | `cached` | the answer, its constraint and its states met before |
/// | `coldSchema` | compiling the schema, then the answer, every mask found anew |
/// | `vocabulary` | making the vocabulary's tree, and the first mask of any object |
///
/// Usage: `bench/run constraint -p model=MODEL_DIRECTORY [options of JMH]`
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class ConstraintBench {
    private static final String SCHEMA =
            """
            {"title": "%d", "type": "object", "properties": {
              "name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
              "email": {"type": "string", "format": "email"},
              "tags": {"type": "array", "items": {"type": "string", "maxLength": 60}, "maxItems": 5},
              "address": {"type": "object", "properties": {"street": {"type": "string"},
                "city": {"type": "string"}, "zip": {"type": "string", "pattern": "^\\\\d{5}$"}},
                "required": ["street", "city", "zip"], "additionalProperties": false},
              "score": {"type": "number"}, "kind": {"enum": ["alpha", "beta", "gamma"]}},
             "required": ["name", "age", "email", "tags", "address", "score", "kind"],
             "additionalProperties": false}
            """;
    private static final String ANSWER =
            "{\"name\": \"Mira Holt\", \"age\": 34, \"email\": \"mira.holt@example.com\", \"tags\":"
                    + " [\"garden\", \"small trees\"], \"address\": {\"street\": \"Long Lane 5\", \"city\":"
                    + " \"Old Town\", \"zip\": \"12345\"}, \"score\": 0.75, \"kind\": \"beta\"}";

    /// A directory with a `tokenizer.json`.
    @Param("teacher")
    public String model = "";

    @Param({"schema", "object"})
    public String form = "schema";

    private List<Tokenizer> tokenizer = List.of();
    private List<Constraints> constraints = List.of();
    private int[] answer = new int[0];
    private int serial;

    @Setup
    public void load() {
        Tokenizer loaded = Tokenizers.load(Path.of(model));
        tokenizer = List.of(loaded);
        constraints = List.of(made());
        answer = loaded.encode(ANSWER);
        System.out.printf("(%d tokens) ", answer.length);
    }

    private Constraints made() {
        return new Constraints(
                tokenizer.getFirst(), List.of(0), tokenizer.getFirst().vocabularySize());
    }

    private Constraint constraint(int number) {
        String object = "{\"title\": \"%d\", \"type\": \"object\"}";
        return Constraint.schema((form.equals("schema") ? SCHEMA : object).formatted(number));
    }

    private final Constraint known = Constraint.schema(SCHEMA.formatted(0));

    private long answer(Constraint constraint) {
        Matcher matcher = constraints.getFirst().begin(constraint);
        long sum = 0;
        for (int id : answer) {
            sum += matcher.mask()[0];
            if (!matcher.accept(id)) {
                throw new PenjingException("the answer does not fit its schema");
            }
        }
        return sum;
    }

    @Benchmark
    public long cached() {
        return answer(form.equals("schema") ? known : Constraint.json());
    }

    @Benchmark
    public long coldSchema() {
        return answer(constraint(++serial));
    }

    @Benchmark
    public long[] vocabulary() {
        return made().begin(Constraint.json()).mask();
    }

    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        new Runner(
                        new OptionsBuilder()
                                .parent(new CommandLineOptions(args))
                                .include(ConstraintBench.class.getName())
                                .build())
                .run();
    }
}
