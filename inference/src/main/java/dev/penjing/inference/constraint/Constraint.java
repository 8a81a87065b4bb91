package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The form that an answer must have. Immutable, compared by the schema.
///
/// Of JSON Schema, what clients of structured output use is understood: `type` (a list, too),
/// `properties`, `required`, `additionalProperties`, `items`, `prefixItems`, `minItems`,
/// `maxItems`, `minLength`, `maxLength`, `pattern`, `format` (date, date-time, email, hostname,
/// ipv4, time, uuid), `minimum`, `maximum` and their exclusive kinds (whole ones where a number has
/// a fraction), `enum`, `const`, `anyOf`, `oneOf` (as `anyOf`), `allOf`, `$ref` within the schema
/// (recursive, too), `nullable`. Anything else that restricts is refused by name. As JSON Schema
/// has it, an object may have additional members unless `additionalProperties` is false.
///
/// An answer is less free than the schema: members come in the schema's order, then the additional
/// ones; a value of `enum` and a key are spelled in one way; white space, and the digits of
/// numbers, are bounded, so that no model goes on with them for ever. That a key comes twice among
/// the additional ones is not seen to.
public final class Constraint {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int MOST_CHARACTERS = 1 << 20;
    private static final Constraint ANY_OBJECT = schema("{\"type\": \"object\"}");

    private final JsonNode schema;
    private final Grammar grammar;

    private Constraint(JsonNode schema) {
        this.schema = schema;
        this.grammar = SchemaCompiler.compile(schema);
    }

    /// Any JSON object (`json_object` in OpenAI's interface).
    public static Constraint json() {
        return ANY_OBJECT;
    }

    /// A JSON value that fits a JSON Schema.
    ///
    /// @throws UsageException if that is no JSON, says something that is not supported, is too
    ///   large, or fits nothing
    public static Constraint schema(String schema) {
        if (schema.length() > MOST_CHARACTERS) {
            throw new UsageException(
                    "the JSON Schema has more than %,d characters: make it smaller"
                            .formatted(MOST_CHARACTERS));
        }
        JsonNode node;
        try {
            node = JSON.readTree(schema);
        } catch (JacksonException e) {
            throw new UsageException(
                    "the JSON Schema is no JSON at line %d, column %d: mend it there"
                            .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr()));
        }
        return new Constraint(node);
    }

    /// As above.
    public static Constraint schema(JsonNode schema) {
        // written and read: what the caller changes later changes nothing here
        return schema(schema.toString());
    }

    Grammar grammar() {
        return grammar;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Constraint constraint && schema.equals(constraint.schema);
    }

    @Override
    public int hashCode() {
        return schema.hashCode();
    }

    @Override
    public String toString() {
        return schema.toString();
    }
}
