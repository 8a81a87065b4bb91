package dev.penjing.inference.constraint;

import java.util.ArrayList;
import java.util.List;

/// Schemas, with documents that fit and others that do not.
public final class Examples {
    /// @param wrong each cut off behind the byte at which it becomes wrong
    public record Example(String schema, List<String> right, List<String> wrong) {}

    private static final List<Example> ALL = new ArrayList<>();

    private Examples() {}

    private static void add(String schema, List<String> right, List<String> wrong) {
        ALL.add(new Example(schema, right, wrong));
    }

    public static List<Example> all() {
        List<Example> all = new ArrayList<>(ALL);
        all.addAll(GeneratorExamples.ALL);
        return List.copyOf(all);
    }

    static {
        add(
                "{\"type\": \"object\"}",
                List.of(
                        "{}",
                        "{ }",
                        "{\"a\":1}",
                        "{\"a\": [1, -2.5e+3, true, null, \"x\"], \"b\": {\"c\": {}}}",
                        "{ \"a\": [ 1,2, 3 ], \"é\":\"世界 🙂\" }",
                        "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude42\"}"),
                List.of(
                        "[",
                        " ",
                        "{a",
                        "{\"a\" ",
                        "{\"a\":1,}",
                        "{\"a\":01",
                        "{\"a\":-a",
                        "{\"a\":1.}",
                        "{\"a\":tx",
                        "{  ",
                        "{\n",
                        "{\"a\": \t",
                        "{\"a\":\n",
                        "{\"a\":1,\n",
                        "{\"a\":1,  ",
                        "{\"a\":1\n",
                        "{\"a\":[1,\r",
                        "{\"a\":\"\n",
                        "{\"a\":\"\\x",
                        "{\"a\":\"\\ud83d\\u0",
                        "{\"a\":\"\\ude",
                        "{}x",
                        "{} ",
                        "{\"a\":1}}"));
        add(
                "{}",
                List.of("1", "-0.5", "\"x\"", "true", "null", "[]", "[[[]]]", "{\"a\":[{}]}"),
                List.of("x", ",", "[1  ", "[,", "nulL", "+", ".", "1e+.", "\"\\u12x"));
        add(
                """
                {"type": "object", "additionalProperties": false, "required": ["name", "age"],
                 "properties": {"name": {"type": "string"}, "nick": {"type": ["string", "null"]},
                                "age": {"type": "integer", "minimum": 0, "maximum": 150}}}
                """,
                List.of(
                        "{\"name\":\"A\",\"age\":0}",
                        "{\"name\": \"B\", \"nick\": null, \"age\": 150}",
                        "{ \"name\":\"\", \"nick\": \"x\",\"age\": 99 }"),
                List.of(
                        "{}",
                        "{\"a",
                        "{\"name\":1",
                        "{\"name\":\"A\"}",
                        "{\"name\":\"A\",\"age\":151",
                        "{\"name\":\"A\",\"age\":-",
                        "{\"name\":\"A\",\"age\":00",
                        "{\"name\":\"A\",\"nick\":n\"",
                        "{\"name\":\"A\",\"age\":1,"));
        add(
                """
                {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "null"},
                 "c": {"type": "number"}}, "additionalProperties": false}
                """,
                List.of(
                        "{}",
                        "{\"a\":true}",
                        "{\"b\":null}",
                        "{\"c\":1.5}",
                        "{\"a\":false,\"c\":0}"),
                List.of("{\"b\":null,\"a", "{\"d", "{\"a\":true,}", "{,", "{\"a\":true \""));
        add(
                """
                {"type": "object", "properties": {"a": {"type": "integer"}, "ab": {"type": "integer"}},
                 "required": ["ab"], "additionalProperties": {"type": "string"}}
                """,
                List.of(
                        "{\"ab\":1}",
                        "{\"a\":1,\"ab\":2,\"abc\":\"x\",\"\":\"y\",\"é\":\"z\"}",
                        "{\"ab\":1,\"b\":\"x\"}"),
                List.of(
                        "{\"b",
                        "{\"ab\":1,\"a\"",
                        "{\"ab\":1,\"ab\"",
                        "{\"ab\":1,\"abc\":1",
                        "{}"));
        add(
                """
                {"properties": {"é": {"type": "integer"}, "世": {"type": "integer"}},
                 "additionalProperties": {"type": "boolean"}, "type": "object"}
                """,
                List.of(
                        "{\"é\":1,\"世\":2}",
                        "{\"è\":true}",
                        "{\"世\":1,\"世界\":true,\"丗\":false}",
                        "{\"🙂\":true}"),
                List.of("{\"é\":t", "{\"世\":1,\"é\"", "{\"è\":1"));
        add(
                "{\"type\": \"object\", \"required\": [\"x\", \"a/b\\\"\"], \"properties\": {\"a/b\\\"\": {\"const\": 1}}}",
                List.of("{\"a/b\\\"\":1,\"x\":[]}", "{\"a/b\\\"\": 1, \"x\": 2}"),
                List.of("{\"a/b\\\"\": 1, \"x\": 2,", "{\"x", "{\"a/b\\\"\":1}", "{\"a/b\\\"\":2"));
        add(
                """
                {"enum": ["red", "green", "re", "", "a\\"b", "ü", 1, 1.5, true, null, {"k": [1, {}]}, []]}
                """,
                List.of(
                        "\"red\"",
                        "\"re\"",
                        "\"\"",
                        "\"a\\\"b\"",
                        "\"ü\"",
                        "1",
                        "1.5",
                        "true",
                        "null",
                        "{\"k\":[1,{}]}",
                        "{ \"k\": [ 1, {} ] }",
                        "[]"),
                List.of("\"rx", "\"redd", "2", "1.4", "f", "{}", "{\"k\":[1]", "[1"));
        add("{\"const\": {\"a\": \"b\"}}", List.of("{\"a\": \"b\"}"), List.of("{\"a\": \"c", "\""));
        add(
                "{\"type\": [\"string\", \"null\"], \"enum\": [\"x\", null, 3]}",
                List.of("\"x\"", "null"),
                List.of("3"));
        add(
                "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}, \"minItems\": 2, \"maxItems\": 4}",
                List.of("[1,2]", "[1, 2, 3]", "[ 1, 2,3, 4 ]"),
                List.of("[]", "[1]", "[1,2,3,4,", "[1,2,\"", "[1,2,3,4 ,"));
        add("{\"type\": \"array\", \"maxItems\": 0}", List.of("[]", "[ ]"), List.of("[1", "[ ,"));
        add(
                "{\"type\": \"array\", \"items\": {\"type\": \"boolean\"}, \"minItems\": 1}",
                List.of("[true]", "[false,true,false,false]"),
                List.of("[]", "[1", "[true,]"));
        add(
                """
                {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}],
                 "items": {"type": "boolean"}, "minItems": 1, "maxItems": 4}
                """,
                List.of("[\"a\"]", "[\"a\",1]", "[\"a\", 1, true, false]"),
                List.of("[]", "[1", "[\"a\",t", "[\"a\",1,2", "[\"a\",1,true,true,"));
        add(
                "{\"prefixItems\": [{\"type\": \"null\"}, {\"type\": \"null\"}], \"items\": false, \"minItems\": 2}",
                List.of("[null,null]"),
                List.of("[null]", "[null,null,", "[]"));
        add(
                "{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 4}",
                List.of("\"ab\"", "\"éé\"", "\"🙂🙂🙂🙂\"", "\"\\n\\u0041\\ud83d\\ude42\""),
                List.of("\"a\"", "\"abcde", "\"\"", "\"\\n\"", "1"));
        add(
                "{\"type\": \"string\", \"minLength\": 3}",
                List.of("\"abc\"", "\"abcdefgh\""),
                List.of("\"ab\""));
        add(
                "{\"type\": \"string\", \"maxLength\": 1000}",
                List.of("\"\"", "\"" + "x".repeat(1000) + "\""),
                List.of("\"" + "x".repeat(1001)));
        add(
                "{\"type\": \"string\", \"pattern\": \"^[A-Z]{2,3}-\\\\d+(\\\\.\\\\d{2})?$\"}",
                List.of("\"AB-1\"", "\"ABC-123.45\""),
                List.of("\"A-", "\"ABCD", "\"AB-\"", "\"AB-1.2\"", "\"a"));
        add(
                "{\"type\": \"string\", \"pattern\": \"^(?:foo|ba[rz]|[^a-z\\\\s\\\"]x?)+$|^$\"}",
                List.of("\"\"", "\"foobarbaz\"", "\"Ax9\"", "\"é🙂\"", "\"\\\\foo\""),
                List.of("\"fx", "\" ", "\"bab", "\"\\\""));
        add(
                "{\"type\": \"string\", \"pattern\": \"b.d\"}",
                List.of("\"bad\"", "\"xx b\\\\d yy\"", "\"béd\""),
                List.of("\"\"", "\"bd\"", "\"bad\"x"));
        add(
                "{\"type\": \"string\", \"pattern\": \"^(a?){2,3}(b|c*){2}\\\\x41[\\\\u00e9\\\\w-]$\"}",
                List.of("\"aaabAé\"", "\"A-\"", "\"acccAz\""), List.of("\"aaaa", "\"A\"", "\"bbb"));
        add(
                "{\"type\": \"string\", \"format\": \"date\"}",
                List.of("\"2024-02-29\"", "\"1999-12-31\"", "\"2000-02-29\""),
                List.of("\"2023-02-29", "\"1900-02-29", "\"2024-13", "\"2024-04-31", "\"24-"));
        add(
                "{\"type\": \"string\", \"format\": \"date-time\"}",
                List.of("\"2024-02-29T23:59:59Z\"", "\"2020-01-01T00:00:00.123+01:00\""),
                List.of("\"2024-02-29 ", "\"2024-02-29T24", "\"2024-02-29T23:59:59\""));
        add("{\"format\": \"time\"}", List.of("\"10:20:30-05:30\""), List.of("\"10:6", "{"));
        add(
                "{\"type\": \"string\", \"format\": \"uuid\"}",
                List.of("\"123e4567-e89b-12d3-A456-426614174000\""),
                List.of("\"123e4567e", "\"g"));
        add(
                "{\"type\": \"string\", \"format\": \"email\"}",
                List.of("\"a.b+c@example.co.uk\""),
                List.of("\"@", "\"a@b\"", "\"a..", "\"a@-"));
        add(
                "{\"type\": \"string\", \"format\": \"ipv4\"}",
                List.of("\"0.0.0.0\"", "\"255.199.20.3\""),
                List.of("\"256", "\"1.2.3\"", "\"01"));
        add(
                "{\"type\": \"string\", \"format\": \"hostname\"}",
                List.of("\"a-b.c\""),
                List.of("\"-", "\"a-\""));
        for (int[] range :
                new int[][] {{-5, 17}, {0, 0}, {10, 2000}, {-1234, -99}, {7, 7}, {-1, 1}}) {
            List<String> right = new ArrayList<>();
            for (int n = range[0]; n <= range[1]; n++) {
                right.add(Integer.toString(n));
            }
            List<String> wrong = new ArrayList<>();
            wrong.add(
                    range[0] >= 0 ? "-" : range[1] < 0 ? "1" : Integer.toString(range[1] * 10 + 1));
            add(
                    "{\"type\": \"integer\", \"minimum\": %d, \"maximum\": %d}"
                            .formatted(range[0], range[1]),
                    right,
                    wrong);
        }
        add(
                "{\"type\": \"integer\", \"exclusiveMinimum\": 3, \"exclusiveMaximum\": 5.5}",
                List.of("4", "5"),
                List.of("3", "6", "-", "1"));
        add(
                "{\"type\": \"integer\", \"minimum\": 12}",
                List.of("12", "99", "1000000"),
                List.of("0", "-"));
        add(
                "{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}",
                List.of("0", "1", "0.5", "0.000", "1.0"),
                List.of("-", "2", "1.01", "1.1", "0e"));
        add(
                "{\"type\": \"number\", \"exclusiveMinimum\": -2, \"exclusiveMaximum\": 3}",
                List.of("-1.99", "0", "2.9", "-0.1", "-1"),
                List.of("3", "-2", "-3", "2e"));
        add(
                "{\"type\": \"number\", \"exclusiveMinimum\": 0}",
                List.of("0.1", "1", "0.001"),
                List.of("-", "00"));
        add(
                """
                {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"kind": {"const": "a"},
                 "x": {"type": "string"}}, "required": ["kind", "x"], "additionalProperties": false},
                 {"type": "object", "properties": {"kind": {"const": "b"}, "x": {"type": "integer"}},
                 "required": ["kind", "x"], "additionalProperties": false}]}
                """,
                List.of("5", "{\"kind\":\"a\",\"x\":\"s\"}", "{\"kind\": \"b\", \"x\": 7}"),
                List.of("{\"kind\":\"a\",\"x\":7", "{\"kind\":\"c", "\""));
        add(
                """
                {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
                 "additionalProperties": false, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
                """,
                List.of("{\"a\":\"x\"}", "{\"b\":1}"),
                List.of("{}", "{\"c"));
        add(
                """
                {"$defs": {"node": {"type": "object", "properties": {"value": {"type": "integer"},
                 "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
                 "required": ["value", "next"], "additionalProperties": false}},
                 "$ref": "#/$defs/node"}
                """,
                List.of(
                        "{\"value\":1,\"next\":null}",
                        "{\"value\":1,\"next\":{\"value\":2,\"next\":{\"value\":3,\"next\":null}}}"),
                List.of("{\"value\":1,\"next\":1", "{\"value\":1}", "{\"n"));
        add(
                """
                {"type": "object", "properties": {"name": {"type": "string"},
                 "children": {"type": "array", "items": {"$ref": "#"}}},
                 "required": ["children"], "additionalProperties": false}
                """,
                List.of(
                        "{\"children\":[]}",
                        "{\"name\":\"r\",\"children\":[{\"children\":[]},{\"name\":\"x\",\"children\":[{\"children\":[]}]}]}"),
                List.of("{}", "{\"children\":{", "{\"children\":[{}"));
        add(
                """
                {"definitions": {"a/b": {"type": "integer"}, "pos": {"minimum": 1, "title": "p"}},
                 "type": "object", "properties": {"x": {"allOf": [{"$ref": "#/definitions/a~1b"},
                 {"$ref": "#/definitions/pos"}], "description": "d"},
                 "y": {"$ref": "#/definitions/a%7E1b", "maximum": 9, "default": 1}},
                 "required": ["x", "y"], "additionalProperties": false}
                """,
                List.of("{\"x\":1,\"y\":9}", "{\"x\": 55, \"y\": -3}"),
                List.of("{\"x\":0", "{\"x\":-", "{\"x\":1,\"y\":10"));
        add(
                """
                {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                 {"type": "object", "properties": {"b": {"type": "string"}, "a": {"maximum": 5}},
                 "required": ["b"]}], "additionalProperties": false, "properties": {"a": true, "b": {}}}
                """,
                List.of("{\"a\":5,\"b\":\"\"}"),
                List.of("{\"a\":6", "{\"a\":5}", "{\"b"));
        add("{\"type\": \"string\", \"nullable\": true}", List.of("null", "\"\""), List.of("1"));
        add(
                "{\"type\": \"array\", \"items\": {\"type\": \"array\", \"items\": {\"type\": \"array\", \"items\": {\"type\": \"number\"}}}}",
                List.of("[]", "[[],[[]]]", "[[[1,2.5],[]],[[-3e1]]]"),
                List.of("[1", "[[1", "[[[["));
        add("true", List.of("{}", "3"), List.of("}"));
    }
}
