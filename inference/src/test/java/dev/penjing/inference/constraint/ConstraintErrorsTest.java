package dev.penjing.inference.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.penjing.model.UsageException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class ConstraintErrorsTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"not\": {}} | #  | 'not'",
                "{\"properties\": {\"a/b\": {\"contains\": 2}}} | #/properties/a~1b | 'contains'",
                "{\"multipleOf\": 0} | # | 'multipleOf'",
                "{\"multipleOf\": 86399} | # | multiples",
                "{\"items\": {\"anyOf\": [{}, {\"if\": true}]}} | #/items/anyOf/1 | 'if'",
                "{\"uniqueItems\": true} | # | 'uniqueItems'",
                "{\"type\": \"strin\"} | # | 'type'",
                "{\"type\": 3} | # | 'type'",
                "{\"minLength\": -1} | # | 'minLength'",
                "{\"maxItems\": 1.5} | # | 'maxItems'",
                "{\"pattern\": 1} | # | 'pattern'",
                "{\"required\": [1]} | # | 'required'",
                "{\"required\": \"a\"} | # | 'required'",
                "{\"properties\": []} | # | 'properties'",
                "{\"enum\": 1} | # | 'enum'",
                "{\"anyOf\": {}} | # | 'anyOf'",
                "{\"minimum\": \"1\"} | # | 'minimum'",
                "{\"type\": \"integer\", \"maximum\": 1e999} | # | 'maximum'",
                "{\"allOf\": [{\"pattern\": \"a\"}, {\"pattern\": \"b\"}]} | #/allOf/1 | 'pattern'",
                "{\"$ref\": \"http://example.com/x\"} | # | '$ref'",
                "{\"$ref\": \"#/$defs/x\"} | # | points to nothing",
                "{\"properties\": {\"x\": 1}} | #/properties/x | neither an object",
                "{\"pattern\": \"(?=a)\"} | #/pattern | looks ahead",
                "{\"pattern\": \"(?<!a)\"} | #/pattern | looks ahead",
                "{\"pattern\": \"a\\\\b\"} | #/pattern | word border",
                "{\"pattern\": \"(a)\\\\1\"} | #/pattern | escape",
                "{\"pattern\": \"a{2,1}\"} | #/pattern | repetition",
                "{\"pattern\": \"a{1,999999}\"} | #/pattern | more than",
                "{\"pattern\": \"(a\"} | #/pattern | lacks",
                "{\"pattern\": \"a)\"} | #/pattern | too many",
                "{\"pattern\": \"[z-a]\"} | #/pattern | backwards",
                "{\"pattern\": \"[a\"} | #/pattern | too early",
                "{\"pattern\": \"a^b\"} | #/pattern | anchor",
                "{\"pattern\": \"*a\"} | #/pattern | repeats nothing"
            })
    void whatIsNotUnderstoodIsNamedWithItsPlace(String schema, String where, String what) {
        assertThatThrownBy(() -> Constraint.schema(schema))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("at " + where)
                .hasMessageContaining(what);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"type\": \"boolean\", \"not\": {}} | #/not",
                "{\"type\": \"boolean\", \"optional\": true} | #/optional",
                "{\"items\": {\"pattern\": \"^(?!a)b$\"}} | #/items/pattern",
                "{\"type\": \"any\"} | #/type",
                "{\"properties\": {\"a\": {\"required\": true}}} | #/properties/a/required",
                "{\"$ref\": \"http://example.com/x\"} | #/$ref",
                "{\"allOf\": [{\"pattern\": \"a\"}, {\"pattern\": \"b\"}]} | #/allOf/1/pattern",
                "{\"items\": {\"type\": \"null\"}, \"uniqueItems\": true} | #/uniqueItems"
            })
    void whatIsNotUnderstoodMayBePassedOverAndIsNamed(String schema, String where) {
        assertThat(Constraint.lenient(schema).ignored()).containsExactly(where);
        assertThatThrownBy(() -> Constraint.schema(schema)).isInstanceOf(UsageException.class);
    }

    @Test
    void anInvalidSchemaIsRefusedInAnyCase() {
        assertThatThrownBy(() -> Constraint.lenient("{\"pattern\": \"^[a-\"}"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("too early");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{\"a\":}", "[1", "nope", "{} {}"})
    void whatIsNoJsonIsRefused(String text) {
        assertThatThrownBy(() -> Constraint.schema(text)).isInstanceOf(UsageException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"$ref\": \"#\"}",
                "{\"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"$ref\": \"#/$defs/a\"}}, \"$ref\": \"#/$defs/a\"}",
                "{\"anyOf\": [{\"$ref\": \"#\"}, {\"type\": \"string\"}]}",
                "{\"allOf\": [{\"$ref\": \"#\"}]}",
                "{\"type\": \"object\", \"$ref\": \"#\"}",
                "{\"anyOf\": [{\"anyOf\": [{\"$ref\": \"#/anyOf/0\"}]}]}"
            })
    void circlesWithoutAValueAreRefused(String schema) {
        assertThatThrownBy(() -> Constraint.schema(schema))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("circle");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "false",
                "{\"enum\": []}",
                "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#\"}}, \"required\": [\"a\"]}",
                "{\"type\": \"array\", \"items\": {\"$ref\": \"#\"}, \"minItems\": 1}",
                "{\"type\": \"object\", \"required\": [\"a\"], \"additionalProperties\": false}",
                "{\"type\": \"array\", \"minItems\": 3, \"maxItems\": 2}",
                "{\"type\": \"string\", \"minLength\": 3, \"maxLength\": 2}",
                "{\"type\": \"integer\", \"minimum\": 3, \"maximum\": 2}",
                "{\"type\": \"integer\", \"minimum\": 1e300}",
                "{\"type\": \"string\", \"pattern\": \"^[]$\"}",
                "{\"type\": \"string\", \"enum\": [1]}"
            })
    void whatNothingFitsIsRefused(String schema) {
        assertThatThrownBy(() -> Constraint.schema(schema))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("no finite JSON value");
    }

    @Test
    void whatCannotBeIsLeftOut() {
        Constraint constraint =
                Constraint.schema(
                        "{\"anyOf\": [false, {\"enum\": []}, {\"type\": \"object\", \"properties\": {\"a\": false}, \"additionalProperties\": false}]}");
        assertThat(walk(constraint, new Random(1), 10)).isIn("{}", "{ }").doesNotContain("a");
    }

    static String walk(Constraint constraint, Random random, int most) {
        Matcher matcher = ConstraintTest.CONSTRAINTS.begin(constraint);
        List<Integer> ids = new ArrayList<>();
        while (ids.size() < most && !matcher.ended()) {
            int[] all = BitSet.valueOf(matcher.mask()).stream().toArray();
            assertThat(all).isNotEmpty();
            int id = all[random.nextInt(all.length)];
            assertThat(matcher.accept(id)).isTrue();
            if (id == ConstraintTest.END) {
                break;
            }
            ids.add(id);
        }
        int[] made = ids.stream().mapToInt(Integer::intValue).toArray();
        String text = ConstraintTest.TOKENIZER.decode(made, true);
        return matcher.complete() ? text : "";
    }

    /// Either refused, or used, in a time that a person would wait.
    private static void survives(String schema) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(30),
                () -> {
                    try {
                        Constraint constraint = Constraint.schema(schema);
                        walk(constraint, new Random(1), 30);
                    } catch (UsageException e) {
                        assertThat(e.getMessage()).doesNotContain("\n");
                    }
                });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "^(((a{1000}){1000}){1000})$",
                "^(((a{1,1000}){1,1000}){1,1000})*$",
                "(a*)*b",
                "((((((a?)*)*)*)*)*)*",
                "(a|a)*(a|a)*(a|a)*$",
                "((((((((((a?){2}){2}){2}){2}){2}){2}){2}){2}){2}){2}",
                "((((((((((a?|b?){2,9}){2,9}){2,9}){2,9}){2,9}){2,9}){2,9}){2,9}){2,9}){2,9}",
                "(x+x+)+y",
                "^.{0,100000}$",
                "(((((((((((((((((((((()))))))))))))))))))))){0,100000}"
            })
    void monstrousPatternsEnd(String pattern) {
        ObjectNode schema = JSON.createObjectNode();
        schema.put("type", "string").put("pattern", pattern);
        survives(schema.toString());
    }

    @Test
    void monstrousSchemasEnd() {
        for (int depth : new int[] {100, 450, 5000}) {
            survives("{\"items\":".repeat(depth) + "{}" + "}".repeat(depth));
            survives("{\"anyOf\":[".repeat(depth) + "{\"type\":\"null\"}" + "]}".repeat(depth));
            survives("{\"allOf\":[".repeat(depth) + "{\"type\":\"null\"}" + "]}".repeat(depth));
            survives("{\"const\":" + "[".repeat(depth) + "]".repeat(depth) + "}");
        }
        String many =
                IntStream.range(0, 50_000)
                        .mapToObj(i -> "\"value number " + i * 7919 + "\"")
                        .collect(Collectors.joining(","));
        survives("{\"enum\":[" + many + "]}");
        survives("{\"enum\":[\"" + "x".repeat(200_000) + "\"]}");
        for (int count : new int[] {900, 1100}) {
            String properties =
                    IntStream.range(0, count)
                            .mapToObj(i -> "\"property" + i + "\":{\"type\":\"integer\"}")
                            .collect(Collectors.joining(","));
            survives("{\"type\":\"object\",\"properties\":{" + properties + "}}");
        }
        survives("{\"minLength\":2000000000}");
        survives("{\"minItems\":2000000000}");
        survives("{\"type\":\"string\",\"maxLength\":3000000000}");
        // every level doubles what the text may mean
        String branch = "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"},\"%s\":{}}}";
        survives("{\"anyOf\":[%s,%s]}".formatted(branch.formatted("b"), branch.formatted("c")));
        // allOf of two that call each other anew
        survives(
                "{\"$defs\":{\"a\":{\"properties\":{\"x\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/a\"}]}}},"
                        + "\"b\":{\"properties\":{\"x\":{\"allOf\":[{\"$ref\":\"#/$defs/a\"},{\"title\":\"t\"}]},\"y\":{\"$ref\":\"#/$defs/b\"}}}},"
                        + "\"allOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/b\"}]}");
    }

    @Test
    void whatDoublesAtEveryLevelIsCutAndStillFits() {
        String branch =
                "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"},\"%s\":{}},\"required\":[\"a\"],\"additionalProperties\":false}";
        String schema =
                "{\"anyOf\":[{\"type\":\"null\"},%s,%s]}"
                        .formatted(branch.formatted("b"), branch.formatted("c"));
        Automaton automaton = new Automaton(Constraint.schema(schema).grammar());
        String text = "{\"a\":".repeat(40) + "null" + "}".repeat(40);
        State state = automaton.start();
        for (byte octet : text.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
            state = automaton.step(state, octet, Work.unlimited());
        }
        assertThat(state.ways.size()).isLessThanOrEqualTo(1024);
    }
}
