package dev.penjing.server;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Bodies of requests drawn at random: good ones, and what becomes of them when fields are changed,
/// removed, doubled or moved, and bytes broken.
final class FuzzBodies {
    /// Endpoints that take a body, and bodies that they like.
    static final Map<String, List<String>> GOOD =
            Map.of(
                    "/v1/chat/completions",
                    List.of(
                            """
                            {"model": "teacher", "messages": [{"role": "system", "content": "Be brief."},
                             {"role": "user", "content": "Who has the red kite?"}], "max_tokens": 6,
                             "temperature": 0.7, "top_p": 0.9, "seed": 7, "stop": ["owl", "."], "n": 2,
                             "logprobs": true, "top_logprobs": 3, "logit_bias": {"17": -100, "40": 2.5},
                             "presence_penalty": 0.5, "frequency_penalty": -0.5, "user": "me"}
                            """,
                            """
                            {"model": "teacher", "messages": [{"role": "user", "content": [
                             {"type": "text", "text": "Hello, "}, {"type": "text", "text": "you!"}]},
                             {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "Go on."}],
                             "max_completion_tokens": 8, "stream": true, "stream_options": {"include_usage": true},
                             "nvext": {"top_k": 5, "min_p": 0.01, "repetition_penalty": 1.1, "ignore_eos": true, "min_tokens": 2}}
                            """,
                            """
                            {"model": "teacher", "messages": [{"role": "user", "content": "Where is the owl?"},
                             {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
                              "function": {"name": "find", "arguments": "{\\"what\\": \\"owl\\"}"}}]},
                             {"role": "tool", "tool_call_id": "call_1", "content": "in Larkwell"}],
                             "max_tokens": 8, "tools": [{"type": "function", "function": {"name": "find",
                              "description": "Finds.", "parameters": {"type": "object", "properties":
                              {"what": {"type": "string", "maxLength": 6}}, "required": ["what"]}}}],
                             "tool_choice": "auto", "parallel_tool_calls": false}
                            """,
                            """
                            {"model": "teacher", "messages": [{"role": "user", "content": "Give me numbers."}],
                             "max_tokens": 12, "response_format": {"type": "json_schema", "json_schema": {"name": "numbers",
                              "strict": true, "schema": {"type": "object", "properties": {"a": {"type": "integer",
                              "minimum": 0, "maximum": 99}, "b": {"enum": ["x", "y"]}}, "required": ["a", "b"],
                              "additionalProperties": false}}}}
                            """,
                            """
                            {"model": "teacher", "messages": [{"role": "user", "content": "Yes?"}], "max_tokens": 5,
                             "guided_regex": "(yes|no)[a-z]{0,3}", "stop_token_ids": [3, 4]}
                            """),
                    "/v1/completions",
                    List.of(
                            """
                            {"model": "teacher", "prompt": "The owl of Larkwell", "max_tokens": 8, "echo": true,
                             "logprobs": 2, "n": 2, "best_of": 2, "temperature": 0}
                            """,
                            """
                            {"model": "teacher", "prompt": [[5, 6, 7], [8, 9]], "max_tokens": 5, "stream": true,
                             "stream_options": {"include_usage": true}, "stop": "and"}
                            """),
                    "/v1/responses",
                    List.of(
                            """
                            {"model": "teacher", "input": "Who has the red kite?", "instructions": "Be brief.",
                             "max_output_tokens": 8, "temperature": 0.5, "top_p": 0.9, "store": false,
                             "metadata": {"a": "b"}, "truncation": "auto", "top_logprobs": 2,
                             "include": ["message.output_text.logprobs"], "text": {"format": {"type": "text"}}}
                            """,
                            """
                            {"model": "teacher", "input": [{"role": "user", "content": [{"type": "input_text",
                             "text": "Hello!"}]}, {"type": "function_call", "call_id": "c1", "name": "find",
                             "arguments": "{}"}, {"type": "function_call_output", "call_id": "c1", "output": "owl"}],
                             "max_output_tokens": 8, "stream": true, "tools": [{"type": "function", "name": "find",
                             "description": "Finds.", "strict": false, "parameters": {"type": "object", "properties": {}}}],
                             "tool_choice": {"type": "function", "name": "find"}, "previous_response_id": null}
                            """),
                    "/tokenize",
                    List.of(
                            """
                            {"model": "teacher", "prompt": "Cora lives in Larkwell."}
                            """,
                            """
                            {"messages": [{"role": "user", "content": "Hello!"}], "add_generation_prompt": true}
                            """),
                    "/detokenize",
                    List.of(
                            """
                            {"model": "teacher", "tokens": [5, 6, 700]}
                            """));

    static final List<String> ENDPOINTS = GOOD.keySet().stream().sorted().toList();

    private static final List<String> NAMES =
            GOOD.values().stream()
                    .flatMap(List::stream)
                    .flatMap(body -> Arrays.stream(body.split("\"")))
                    .filter(word -> word.matches("[a-z_]{3,}"))
                    .distinct()
                    .sorted()
                    .toList();

    /// JSON that a tree cannot hold, written in the place of a text that names it.
    private static final Map<String, String> RAW =
            Map.of(
                    "@0", "\"\\ud83d\"",
                    "@1", "\"\\ude00 x \\ud83d\"",
                    "@2", "1e999",
                    "@3", "-1E-999",
                    "@4", "9".repeat(90),
                    "@5", "9".repeat(2000),
                    "@6", "9223372036854775808",
                    "@7", "-0",
                    "@8", "[".repeat(60) + "]".repeat(60),
                    "@9", "{\"a\":".repeat(3000) + "1" + "}".repeat(3000));

    private final Random random;

    FuzzBodies(Random random) {
        this.random = random;
    }

    String good(String endpoint) {
        return one(GOOD.getOrDefault(endpoint, List.of("{}")));
    }

    /// A good body, changed in a place or several.
    byte[] changed(String endpoint) {
        JsonNode tree = Wire.JSON.readTree(good(endpoint));
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            if (random.nextInt(3) == 0) {
                changeLeaf(tree);
            } else {
                change(tree);
            }
        }
        String text = tree.toString();
        for (Map.Entry<String, String> raw : RAW.entrySet()) {
            text = text.replace("\"" + raw.getKey() + "\"", raw.getValue());
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return random.nextInt(6) == 0 ? broken(bytes) : bytes;
    }

    <T> T one(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    /// Another value of its kind in the place of a text or number.
    private void changeLeaf(JsonNode root) {
        List<JsonNode> containers = new ArrayList<>();
        gather(root, containers);
        JsonNode container = one(containers);
        if (container instanceof ObjectNode object && !object.isEmpty()) {
            String name = one(List.copyOf(object.propertyNames()));
            if (object.path(name).isValueNode()) {
                object.set(name, leaf(object.path(name)));
            }
        } else if (container instanceof ArrayNode array && !array.isEmpty()) {
            int at = random.nextInt(array.size());
            if (array.get(at).isValueNode()) {
                array.set(at, leaf(array.get(at)));
            }
        }
    }

    private JsonNode leaf(JsonNode before) {
        String raw = "@" + (before.isNumber() ? 2 + random.nextInt(6) : random.nextInt(2));
        return Wire.JSON.valueToTree(
                random.nextBoolean() ? raw : before.isNumber() ? random.nextInt(3000) : text());
    }

    private void change(JsonNode root) {
        List<JsonNode> containers = new ArrayList<>();
        gather(root, containers);
        JsonNode container = one(containers);
        if (container instanceof ObjectNode object) {
            change(object);
        } else if (container instanceof ArrayNode array) {
            change(array);
        }
    }

    private static void gather(JsonNode node, List<JsonNode> containers) {
        if (node.isContainer()) {
            containers.add(node);
            node.forEach(child -> gather(child, containers));
        }
    }

    private void change(ObjectNode object) {
        List<String> names = List.copyOf(object.propertyNames());
        String name = names.isEmpty() || random.nextInt(6) == 0 ? one(NAMES) : one(names);
        switch (random.nextInt(names.isEmpty() ? 1 : 6)) {
            case 0, 1, 2 -> object.set(name, value(3));
            case 3 -> object.remove(name);
            case 4 -> object.set(one(NAMES), object.path(one(names)).deepCopy());
            default ->
                    object.set(name, Wire.JSON.createArrayNode().add(object.path(name).deepCopy()));
        }
    }

    private void change(ArrayNode array) {
        if (array.isEmpty()) {
            array.add(value(2));
            return;
        }
        int at = random.nextInt(array.size());
        switch (random.nextInt(4)) {
            case 0 -> array.set(at, value(3));
            case 1 -> array.remove(at);
            case 2 -> array.add(value(2));
            default -> {
                JsonNode item = array.get(at);
                for (int n = 1 << random.nextInt(8); n > 0; n--) {
                    array.add(item.deepCopy());
                }
            }
        }
    }

    private JsonNode value(int depth) {
        return switch (random.nextInt(depth > 0 ? 12 : 9)) {
            case 0 -> Wire.JSON.nullNode();
            case 1 -> Wire.JSON.readTree(random.nextBoolean() ? "true" : "false");
            case 2 ->
                    Wire.JSON.readTree(
                            one(
                                    List.of(
                                            "0",
                                            "1",
                                            "-1",
                                            "3",
                                            "1.5",
                                            "-0.0",
                                            "1e308",
                                            "1e-320",
                                            "2147483647",
                                            "2147483648",
                                            "-9223372036854775808",
                                            "4000000000",
                                            "1536",
                                            "255")));
            case 3, 4 -> Wire.JSON.valueToTree(text());
            case 5, 6 -> Wire.JSON.valueToTree("@" + random.nextInt(RAW.size()));
            case 7 -> Wire.JSON.valueToTree(one(NAMES));
            case 8 -> Wire.JSON.createObjectNode();
            case 9 -> {
                ArrayNode array = Wire.JSON.createArrayNode();
                for (int n = random.nextInt(5); n > 0; n--) {
                    array.add(value(depth - 1));
                }
                yield array;
            }
            default -> {
                ObjectNode object = Wire.JSON.createObjectNode();
                for (int n = random.nextInt(4); n > 0; n--) {
                    object.set(one(NAMES), value(depth - 1));
                }
                yield object;
            }
        };
    }

    private String text() {
        return one(
                List.of(
                        "",
                        " ",
                        "\u0000",
                        "\u0000\u0001\u001f\u007f",
                        "\r\n\r\n",
                        "\u202e\u200d\ufeff",
                        "🪁🦉👩‍👩‍👧",
                        "e\u0301".repeat(50),
                        "teacher",
                        "owl ".repeat(random.nextInt(400)),
                        "a".repeat(5000),
                        "{\"a\": 1}",
                        "data: [DONE]\n\n",
                        "<|im_start|><|im_end|><s></s>",
                        "{{ messages }}{% for %}",
                        "../../etc/passwd",
                        "(a*)*b(",
                        "[a-z]{1000}{1000}",
                        "\\d+(\\.\\d+)?",
                        "漢字".repeat(20),
                        "find",
                        "call_1"));
    }

    /// Some bytes changed, left out, doubled, or cut off.
    private byte[] broken(byte[] bytes) {
        int from = random.nextInt(bytes.length);
        int to = Math.min(bytes.length, from + 1 + random.nextInt(20));
        byte[] rest = Arrays.copyOfRange(bytes, to, bytes.length);
        byte[] part = Arrays.copyOfRange(bytes, from, to);
        byte[] begin = Arrays.copyOf(bytes, from);
        return switch (random.nextInt(5)) {
            case 0 -> begin;
            case 1 -> joined(begin, rest);
            case 2 -> joined(joined(begin, part), joined(part, rest));
            case 3 -> joined(begin, joined(noise(1 + random.nextInt(4)), rest));
            default -> {
                byte[] flipped = bytes.clone();
                flipped[from] ^= (byte) (1 << random.nextInt(8));
                yield flipped;
            }
        };
    }

    byte[] noise(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    static byte[] joined(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }
}
