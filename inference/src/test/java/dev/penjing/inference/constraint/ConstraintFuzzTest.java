package dev.penjing.inference.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.model.UsageException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Schemas drawn at random: nonsense, and good ones.
class ConstraintFuzzTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static final JsonMapper STRICT =
            JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    @Test
    void garbageIsRefusedOrUsed() {
        Random random = new Random(3);
        int used = 0;
        for (int i = 0; i < 3000; i++) {
            String schema = garbage(random, 4).toString();
            try {
                Constraint constraint =
                        i % 2 == 0 ? Constraint.schema(schema) : Constraint.lenient(schema);
                ConstraintErrorsTest.walk(constraint, random, 12);
                used++;
            } catch (UsageException e) {
                assertThat(e.getMessage()).isNotBlank().doesNotContain("\n");
            }
        }
        assertThat(used).isGreaterThan(100);
    }

    private static final List<String> WORDS =
            List.of(
                    "type",
                    "properties",
                    "required",
                    "additionalProperties",
                    "items",
                    "prefixItems",
                    "minItems",
                    "maxItems",
                    "minLength",
                    "maxLength",
                    "pattern",
                    "format",
                    "minimum",
                    "maximum",
                    "exclusiveMinimum",
                    "exclusiveMaximum",
                    "enum",
                    "const",
                    "anyOf",
                    "oneOf",
                    "allOf",
                    "$ref",
                    "nullable",
                    "multipleOf",
                    "patternProperties",
                    "propertyNames",
                    "minProperties",
                    "additionalItems",
                    "not",
                    "title",
                    "$defs",
                    "a");
    private static final List<String> VALUES =
            List.of(
                    "object",
                    "array",
                    "string",
                    "number",
                    "integer",
                    "boolean",
                    "null",
                    "#",
                    "#/a",
                    "#/properties/a",
                    "#/anyOf/0",
                    "date",
                    "^a+$",
                    "(",
                    "a",
                    "");

    private static JsonNode garbage(Random random, int depth) {
        int kind = random.nextInt(depth > 0 ? 12 : 5);
        if (kind < 5) {
            return switch (kind) {
                case 0 -> JSON.valueToTree(random.nextBoolean());
                case 1 -> JSON.valueToTree(random.nextInt(-3, 8));
                case 2 -> JSON.valueToTree(random.nextDouble() * 9);
                default -> JSON.valueToTree(VALUES.get(random.nextInt(VALUES.size())));
            };
        }
        if (kind < 7) {
            var list = JSON.createArrayNode();
            for (int i = random.nextInt(4); i > 0; i--) {
                list.add(garbage(random, depth - 1));
            }
            return list;
        }
        ObjectNode object = JSON.createObjectNode();
        for (int i = random.nextInt(4); i > 0; i--) {
            String word = WORDS.get(random.nextInt(WORDS.size()));
            boolean type = word.equals("type") && random.nextInt(8) > 0;
            JsonNode value =
                    type
                            ? JSON.valueToTree(VALUES.get(random.nextInt(7)))
                            : garbage(random, depth - 1);
            object.set(word, value);
        }
        return object;
    }

    @Test
    void randomSchemasAreKeptTo() {
        Random random = new Random(9);
        int complete = 0;
        for (int i = 0; i < 400; i++) {
            JsonNode schema = schema(random, 3);
            Constraint constraint = Constraint.schema(schema);
            JsonValidator validator = new JsonValidator(schema);
            for (int run = 0; run < 5; run++) {
                String text = ConstraintErrorsTest.walk(constraint, random, 300);
                if (!text.isEmpty()) {
                    complete++;
                    // a name that comes twice is no JSON to this reader
                    assertThat(validator.fits(STRICT.readTree(text)))
                            .as("%s: %s", schema, text)
                            .isTrue();
                }
            }
        }
        assertThat(complete).isGreaterThan(400);
    }

    private static JsonNode schema(Random random, int depth) {
        ObjectNode schema = JSON.createObjectNode();
        switch (random.nextInt(depth > 0 ? 13 : 5)) {
            case 0 -> {
                int low = random.nextInt(-300, 300);
                schema.put("type", random.nextBoolean() ? "integer" : "number");
                schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
                schema.put(
                        random.nextBoolean() ? "maximum" : "exclusiveMaximum",
                        low + 2 + random.nextInt(500));
            }
            case 1 -> {
                int least = random.nextInt(5);
                schema.put("type", "string").put("minLength", least);
                schema.put("maxLength", least + random.nextInt(5));
            }
            case 2 -> schema.putArray("type").add("boolean").add("null");
            case 3 ->
                    schema.putArray("enum")
                            .add("a")
                            .add(random.nextInt(9))
                            .add("ab")
                            .addObject()
                            .put("k", 1);
            case 4 ->
                    schema.put("type", "string")
                            .put(
                                    "pattern",
                                    List.of(
                                                    "^a{2,5}$",
                                                    "^[^x]{1,3}y?$",
                                                    "^(ab|c)*d$",
                                                    "^\\d+\\.\\w$")
                                            .get(random.nextInt(4)));
            case 5, 6 -> {
                ObjectNode properties = schema.put("type", "object").putObject("properties");
                var required = JSON.createArrayNode();
                for (int i = random.nextInt(4); i > 0; i--) {
                    String name = List.of("a", "b", "ab", "é", "x\"y").get(random.nextInt(5));
                    properties.set(name, schema(random, depth - 1));
                    if (random.nextBoolean()) {
                        required.add(name);
                    }
                }
                schema.set("required", required);
                schema.set(
                        "additionalProperties",
                        random.nextInt(3) > 0 ? JSON.valueToTree(false) : schema(random, 0));
            }
            case 7 -> {
                int low = random.nextInt(-300, 300);
                schema.put("type", random.nextBoolean() ? "integer" : "number");
                schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low / 8.0);
                schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", low / 8.0 + 20);
                if (random.nextBoolean()) {
                    double[] steps = {5, 3, 0.5, 0.05, 1.25};
                    schema.put("multipleOf", steps[random.nextInt(5)]);
                }
            }
            case 8 -> {
                String format = List.of("email", "date", "uri", "color").get(random.nextInt(4));
                schema.put("type", "string").put("format", format);
                schema.put("minLength", random.nextInt(10)).put("maxLength", 40);
            }
            case 9 -> {
                schema.put("type", "string").put("pattern", "^[a-c]x*|[0-9]$");
                schema.put("minLength", random.nextInt(3)).put("maxLength", 5);
            }
            case 10 -> {
                schema.put("type", "object");
                ObjectNode patterns = schema.putObject("patternProperties");
                patterns.set("^a", schema(random, depth - 1));
                patterns.set("b$", schema(random, depth - 1));
                schema.set("additionalProperties", schema(random, 0));
                schema.putObject("propertyNames").put("maxLength", 2 + random.nextInt(5));
                schema.put("minProperties", random.nextInt(3)).put("maxProperties", 3);
            }
            case 11 -> {
                int least = random.nextInt(3);
                schema.put("type", "array")
                        .put("minItems", least)
                        .put("maxItems", least + random.nextInt(3));
                schema.set("items", schema(random, depth - 1));
                if (random.nextBoolean()) {
                    schema.putArray("prefixItems").add(schema(random, depth - 1));
                }
            }
            default ->
                    schema.putArray("anyOf")
                            .add(schema(random, depth - 1))
                            .add(schema(random, depth - 1));
        }
        return schema;
    }
}
