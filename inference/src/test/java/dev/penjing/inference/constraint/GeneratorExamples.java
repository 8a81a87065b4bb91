package dev.penjing.inference.constraint;

import dev.penjing.inference.constraint.Examples.Example;
import java.util.List;

/// What generators of JSON Schema write (pydantic, zod, OpenAPI's, older drafts), with documents.
final class GeneratorExamples {
    static final List<Example> ALL =
            List.of(
                    new Example(
                            "{\"items\": {\"type\": \"integer\", \"multipleOf\": 5}}",
                            List.of("[0,5,-10,125]"),
                            List.of("[1]", "[12,", "[5.")),
                    new Example(
                            "{\"items\": {\"type\": \"integer\", \"multipleOf\": 7, \"minimum\": 10, \"maximum\": 40}}",
                            List.of("[14,21,28,35]"),
                            List.of("[7", "[4", "[11", "[-", "[15")),
                    new Example(
                            "{\"items\": {\"type\": \"number\", \"multipleOf\": 0.25}}",
                            List.of("[0.25,1.5,-2.75,3,0.0]"),
                            List.of("[0.3", "[0.255", "[0.2,")),
                    new Example(
                            "{\"items\": {\"type\": \"number\", \"minimum\": 0.5, \"maximum\": 1.25}}",
                            List.of("[0.5,0.75,1,1.25,1.250,1.1]"),
                            List.of("[0]", "[0.4", "[1.3", "[1.26", "[2", "[-")),
                    new Example(
                            "{\"items\": {\"type\": \"number\", \"exclusiveMinimum\": -1.5, \"exclusiveMaximum\": -0.25}}",
                            List.of("[-1.4,-0.26,-1,-1.0]"),
                            List.of("[-1.5", "[-0.25]", "[-0.1", "[1")),
                    new Example(
                            "{\"items\": {\"type\": \"integer\", \"minimum\": 3, \"exclusiveMinimum\": true, \"maximum\": 5}}",
                            List.of("[4,5]"),
                            List.of("[3", "[6")),
                    new Example(
                            "{\"items\": [{\"type\": \"boolean\"}, {\"type\": \"null\"}], \"additionalItems\": false}",
                            List.of("[]", "[true]", "[true,null]"),
                            List.of("[1", "[true,null,", "[true,t")),
                    new Example(
                            "{\"items\": [{\"type\": \"boolean\"}], \"additionalItems\": {\"type\": \"null\"}}",
                            List.of("[true,null,null]"),
                            List.of("[n", "[true,t")),
                    new Example(
                            "{\"type\": \"string\", \"pattern\": \"^[a-z]+$\", \"maxLength\": 3}",
                            List.of("\"abc\"", "\"a\""),
                            List.of("\"abcd", "\"\"", "\"1")),
                    new Example(
                            "{\"type\": \"string\", \"pattern\": \"[0-9]{2}\", \"maxLength\": 4}",
                            List.of("\"a12b\"", "\"12\""), List.of("\"abc", "\"12345")),
                    new Example(
                            "{\"type\": \"string\", \"pattern\": \"^\\\\p{L}{1,2}$\"}",
                            List.of("\"é世\"", "\"a\""),
                            List.of("\"1", "\"abc")),
                    new Example(
                            "{\"type\": \"string\", \"format\": \"email\", \"minLength\": 1, \"maxLength\": 6}",
                            List.of("\"a@b.co\""),
                            List.of("\"abc", "\"a@b.coo")),
                    new Example(
                            "{\"type\": \"string\", \"format\": \"date\", \"pattern\": \"^20\"}",
                            List.of("\"2024-02-29\""),
                            List.of("\"1", "\"2024-13")),
                    new Example(
                            "{\"type\": \"string\", \"format\": \"uri\", \"minLength\": 1, \"maxLength\": 2083}",
                            List.of("\"https://example.com/a\""),
                            List.of("\"\"", "\"x")),
                    new Example(
                            "{\"type\": \"string\", \"format\": \"color\"}",
                            List.of("\"\"", "\"x\""),
                            List.of("1")),
                    new Example(
                            "{\"type\": \"number\", \"format\": \"double\"}",
                            List.of("1.5"),
                            List.of("\"")),
                    new Example(
                            "{\"patternProperties\": {\"^x\": {\"type\": \"boolean\"}}, \"additionalProperties\": false}",
                            List.of("{}", "{\"x1\":true}"),
                            List.of("{\"y", "{\"x\":1")),
                    new Example(
                            "{\"patternProperties\": {\"^x\": {\"type\": \"boolean\"}}, \"additionalProperties\": {\"type\": \"integer\"}}",
                            List.of("{\"x\":true,\"y\":1}"),
                            List.of("{\"x\":1", "{\"y\":t")),
                    new Example(
                            "{\"properties\": {\"xa\": {\"enum\": [1, true]}}, \"patternProperties\": {\"^x\": {\"type\": \"boolean\"}}}",
                            List.of("{\"xa\":true,\"xb\":false}"),
                            List.of("{\"xa\":1", "{\"b")),
                    new Example(
                            "{\"propertyNames\": {\"pattern\": \"^[a-c]+$\"}, \"additionalProperties\": {\"type\": \"integer\"}}",
                            List.of("{\"ab\":1}"),
                            List.of("{\"d", "{\"\"")),
                    new Example(
                            "{\"propertyNames\": {\"enum\": [\"a\", \"bc\"]}, \"additionalProperties\": {\"type\": \"integer\"}}",
                            List.of("{\"a\":1,\"bc\":2}"),
                            List.of("{\"d", "{\"b\"")),
                    new Example(
                            "{\"additionalProperties\": {\"type\": \"boolean\"}, \"minProperties\": 1, \"maxProperties\": 2}",
                            List.of("{\"a\":true}", "{\"a\":true,\"b\":true}"),
                            List.of("{}", "{\"a\":true,\"b\":true,")),
                    new Example(
                            "{\"enum\": [\"a\", \"bb\", 3, 40], \"minLength\": 2, \"minimum\": 10}",
                            List.of("\"bb\"", "40"),
                            List.of("\"a", "3")),
                    new Example(
                            "{\"properties\": {\"a\": {\"type\": \"boolean\"}}, \"required\": [\"a\"], \"unevaluatedProperties\": false}",
                            List.of("{\"a\":true}"),
                            List.of("{}", "{\"b", "{\"a\":true,")),
                    new Example(
                            "{\"properties\": {\"a\": {\"type\": \"boolean\"}}}",
                            List.of("{\"a\":true}", "{}"),
                            List.of("{\"b", "{\"a\":true,")),
                    new Example(
                            "{\"properties\": {\"a\": {\"type\": \"boolean\"}}, \"additionalProperties\": true}",
                            List.of("{\"a\":true,\"b\":[]}"),
                            List.of("{\"a\":1", "{\"a\":true,\"a\"")),
                    new Example(
                            "{\"$defs\": {\"E\": {\"$anchor\": \"e\", \"enum\": [\"a\"]}}, \"items\": {\"$ref\": \"#e\"}}",
                            List.of("[\"a\"]"),
                            List.of("[\"b")),
                    new Example(
                            "{\"type\": \"boolean\", \"markdownDescription\": \"x\", \"propertyOrdering\": [], \"uniqueItems\": false}",
                            List.of("true"),
                            List.of("1")));

    private GeneratorExamples() {}
}
