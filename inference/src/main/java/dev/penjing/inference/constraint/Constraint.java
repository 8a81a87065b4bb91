package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import dev.penjing.model.files.JsonText;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The form that an answer must have: JSON, a text that matches a regular expression, or one of
/// some texts. Immutable, compared by what it was made of.
///
/// Of JSON Schema, what generators and clients of structured output write is understood: `type` (a
/// list, too), `properties`, `required`, `additionalProperties`, `unevaluatedProperties`,
/// `patternProperties`, `propertyNames`, `minProperties`, `maxProperties` (where nothing is
/// declared), `items`, `prefixItems`, draft 7's tuples, `minItems`, `maxItems`, `minLength`,
/// `maxLength`, `pattern`, `format` (date, date-time, duration, email, hostname, ipv4, ipv6, time,
/// uri, uuid; others are remarks), `minimum`, `maximum` and their exclusive kinds, `multipleOf`,
/// `enum`, `const`, `anyOf`, `oneOf` (as `anyOf`), `allOf`, `$ref` within the schema (recursive,
/// too), `nullable`. Anything else that restricts is refused by name, or passed over and named.
///
/// An object that declares members has no others, unless `additionalProperties` says that it may;
/// one that declares none may have any.
///
/// A JSON answer is less free than the schema: members come in the schema's order, then the
/// additional ones; a value of `enum` and a key are spelled in one way; it is all on one line, with
/// a blank at most between its parts, and the digits of numbers are bounded, so that no model goes
/// on with them for ever; where a pattern, a format and lengths are given together, very long texts
/// may be left out. No name comes twice in an object.
///
/// Of regular expressions, ECMA-262's as in `pattern`: characters, classes, groups, alternatives,
/// repetitions, and anchors at the ends of an alternative of the whole.
public final class Constraint {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int MOST_CHARACTERS = 1 << 20;
    private static final Constraint ANY_OBJECT = schema("{\"type\": \"object\"}");

    /// What it is made of.
    private sealed interface Source {
        record Schema(JsonNode schema, boolean strict) implements Source {
            @Override
            public String toString() {
                return schema.toString();
            }
        }

        record Regex(String pattern) implements Source {}

        /// @param texts sorted, none twice
        record Choice(List<String> texts) implements Source {}
    }

    private final Source source;
    private final Grammar grammar;

    private final List<String> ignored;

    private Constraint(Source source) {
        this.source = source;
        Notes notes = new Notes(!(source instanceof Source.Schema s) || s.strict);
        this.grammar =
                switch (source) {
                    case Source.Schema s -> SchemaCompiler.compile(s.schema, notes);
                    case Source.Regex r -> Texts.matching(r.pattern);
                    case Source.Choice c -> Texts.choice(c.texts);
                };
        this.ignored = List.copyOf(notes.ignored());
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
        return schema(schema, true);
    }

    /// As above, but what is not supported is passed over and named by [#ignored].
    public static Constraint lenient(String schema) {
        return schema(schema, false);
    }

    private static Constraint schema(String schema, boolean strict) {
        if (schema.length() > MOST_CHARACTERS) {
            throw new UsageException(
                    "the JSON Schema has more than %,d characters: make it smaller"
                            .formatted(MOST_CHARACTERS));
        }
        JsonNode node;
        try {
            node = JSON.readTree(schema);
        } catch (JacksonException e) {
            // limits of the reader, such as of depth, have no place
            String at =
                    Optional.ofNullable(e.getLocation())
                            .map(l ->
                                    "at line %d, column %d"
                                            .formatted(l.getLineNr(), l.getColumnNr()))
                            .orElse("that can be read (%s)".formatted(JsonText.reason(e)));
            throw new UsageException("the JSON Schema is no JSON %s: mend it".formatted(at));
        }
        return new Constraint(new Source.Schema(node, strict));
    }

    /// As above.
    public static Constraint schema(JsonNode schema) {
        // written and read: what the caller changes later changes nothing here
        return schema(schema.toString());
    }

    /// A text that matches a regular expression from one end to the other, whether or not it is
    /// anchored there; as it is, not as a JSON string.
    ///
    /// @throws UsageException if that is no such expression, has something that is not supported,
    ///   is too large, can match one text in too many ways, or matches no text but the empty one
    public static Constraint regex(String pattern) {
        return new Constraint(new Source.Regex(pattern));
    }

    /// One of these texts, as it is. One may be the beginning of another.
    ///
    /// @throws UsageException if there is none, one is empty, or they are too large
    public static Constraint choice(List<String> choices) {
        return new Constraint(new Source.Choice(choices.stream().distinct().sorted().toList()));
    }

    /// The places of a schema's keywords that are passed over, such as `#/properties/a/not`.
    public List<String> ignored() {
        return ignored;
    }

    Grammar grammar() {
        return grammar;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Constraint constraint && source.equals(constraint.source);
    }

    @Override
    public int hashCode() {
        return source.hashCode();
    }

    @Override
    public String toString() {
        return source.toString();
    }
}
