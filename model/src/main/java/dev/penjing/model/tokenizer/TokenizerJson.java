package dev.penjing.model.tokenizer;

import dev.penjing.model.PenjingException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads `tokenizer.json`, the file form of Hugging Face tokenizers: normalizer, pre-tokenizer,
/// model, decoder, added tokens. A component or an option that would change the result and is not
/// known here is an error that names it.
final class TokenizerJson {
    private final String where;

    private TokenizerJson(String where) {
        this.where = where;
    }

    /// @param where what errors call the file
    static BpeTokenizer read(JsonNode json, String where) {
        return new TokenizerJson(where).tokenizer(json);
    }

    private BpeTokenizer tokenizer(JsonNode json) {
        if (!(json instanceof ObjectNode root) || !json.path("model").isObject()) {
            throw fail("it has no model");
        }
        JsonNode model = root.path("model");
        String type = model.path("type").asString("BPE");
        require(type.equals("BPE"), "its model is " + type + "; only BPE is supported");
        require(
                model.path("dropout").isNull() || model.path("dropout").asDouble(0) == 0,
                "dropout");
        require(
                model.path("continuing_subword_prefix").asString("").isEmpty(),
                "continuing_subword_prefix");
        require(model.path("end_of_word_suffix").asString("").isEmpty(), "end_of_word_suffix");
        Map<String, Integer> vocabulary = vocabulary(model.path("vocab"));
        Splitting splitting = splitting(root.path("pre_tokenizer"));
        boolean byteFallback = model.path("byte_fallback").asBoolean(false);
        require(
                splitting.byteLevel() || byteFallback || model.path("unk_token").isString(),
                "it neither works on bytes nor falls back to them, and has no unk_token");
        OptionalInt unknown = OptionalInt.empty();
        if (model.path("unk_token").isString()) {
            Integer id = vocabulary.get(model.path("unk_token").stringValue());
            unknown = id == null ? OptionalInt.empty() : OptionalInt.of(id);
        }
        UnaryOperator<String> normalizer = normalizer(root.path("normalizer"));
        return new BpeTokenizer(
                new BpeTokenizer.Parts(
                        vocabulary,
                        merges(model.path("merges"), vocabulary),
                        new AddedTokens(added(root.path("added_tokens")), normalizer),
                        normalizer,
                        splitting.preTokenizer(),
                        splitting.byteLevel(),
                        model.path("ignore_merges").asBoolean(false),
                        unknown,
                        stripsFirstSpace(root.path("decoder"), splitting.byteLevel()),
                        root));
    }

    private Map<String, Integer> vocabulary(JsonNode json) {
        Map<String, Integer> vocabulary = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            int id = entry.getValue().asInt(-1);
            require(id >= 0 && id < (1 << 24), "the token '" + entry.getKey() + "' has no id");
            vocabulary.put(entry.getKey(), id);
        }
        require(!vocabulary.isEmpty(), "its vocabulary is empty");
        return vocabulary;
    }

    private Merges merges(JsonNode json, Map<String, Integer> vocabulary) {
        int[] left = new int[json.size()];
        int[] right = new int[json.size()];
        int[] result = new int[json.size()];
        int i = 0;
        for (JsonNode merge : json) {
            MergePair pair =
                    MergePair.of(merge)
                            .orElseThrow(() -> fail("the merge '" + merge + "' is not a pair"));
            left[i] = known(vocabulary, pair.left());
            right[i] = known(vocabulary, pair.right());
            result[i++] = known(vocabulary, pair.joined());
        }
        return Merges.of(left, right, result);
    }

    private int known(Map<String, Integer> vocabulary, String token) {
        Integer id = vocabulary.get(token);
        if (id == null) {
            throw fail("a merge names '" + token + "', which is not in the vocabulary");
        }
        return id;
    }

    private List<AddedTokens.Token> added(JsonNode json) {
        List<AddedTokens.Token> tokens = new ArrayList<>();
        for (JsonNode t : json) {
            require(!t.path("single_word").asBoolean(false), "an added token with single_word");
            int id = t.path("id").asInt(-1);
            require(id >= 0 && id < (1 << 24), "an added token without an id");
            tokens.add(
                    new AddedTokens.Token(
                            t.path("content").asString(""),
                            id,
                            t.path("special").asBoolean(false),
                            t.path("normalized").asBoolean(!t.path("special").asBoolean(false)),
                            t.path("lstrip").asBoolean(false),
                            t.path("rstrip").asBoolean(false)));
        }
        return tokens;
    }

    private UnaryOperator<String> normalizer(JsonNode json) {
        if (json.isMissingNode() || json.isNull()) {
            return UnaryOperator.identity();
        }
        String type = json.path("type").asString("");
        return switch (type) {
            case "Sequence" -> {
                List<UnaryOperator<String>> parts = new ArrayList<>();
                json.path("normalizers").forEach(n -> parts.add(normalizer(n)));
                yield text -> {
                    String result = text;
                    for (UnaryOperator<String> part : parts) {
                        result = part.apply(result);
                    }
                    return result;
                };
            }
            case "NFC" -> text -> Normalizer.normalize(text, Normalizer.Form.NFC);
            case "NFKC" -> text -> Normalizer.normalize(text, Normalizer.Form.NFKC);
            case "Prepend" -> {
                String prefix = json.path("prepend").asString("");
                yield text -> text.isEmpty() ? text : prefix + text;
            }
            case "Replace" -> {
                String from = json.path("pattern").path("String").asString("");
                require(!from.isEmpty(), "the normalizer Replace with a pattern that is no String");
                String to = json.path("content").asString("");
                yield text -> text.replace(from, to);
            }
            default -> throw fail("the normalizer " + type + " is not supported");
        };
    }

    /// @param byteLevel whether pieces are turned into bytes before they are merged
    private record Splitting(PreTokenizer preTokenizer, boolean byteLevel) {}

    private Splitting splitting(JsonNode json) {
        if (json.isMissingNode() || json.isNull()) {
            return new Splitting(PreTokenizer.WHOLE, false);
        }
        String type = json.path("type").asString("");
        return switch (type) {
            case "Sequence" -> {
                List<PreTokenizer> parts = new ArrayList<>();
                boolean byteLevel = false;
                for (JsonNode part : json.path("pretokenizers")) {
                    Splitting splitting = splitting(part);
                    require(!byteLevel, "a pre-tokenizer behind ByteLevel");
                    byteLevel = splitting.byteLevel();
                    parts.add(splitting.preTokenizer());
                }
                yield new Splitting(PreTokenizer.sequence(parts), byteLevel);
            }
            case "ByteLevel" -> {
                PreTokenizer split =
                        json.path("use_regex").asBoolean(true)
                                ? PreTokenizer.pattern(PreTokenizer.GPT2)
                                : PreTokenizer.WHOLE;
                boolean prefix = json.path("add_prefix_space").asBoolean(true);
                yield new Splitting(
                        prefix
                                ? (text, first) ->
                                        split.split(text.startsWith(" ") ? text : " " + text, first)
                                : split,
                        true);
            }
            case "Digits" ->
                    new Splitting(
                            PreTokenizer.digits(json.path("individual_digits").asBoolean(false)),
                            false);
            case "Split" -> new Splitting(split(json), false);
            case "Punctuation" ->
                    new Splitting(PreTokenizer.punctuation(behavior(json, "Isolated")), false);
            case "Whitespace" -> new Splitting(PreTokenizer.WHITESPACE, false);
            case "WhitespaceSplit" -> new Splitting(PreTokenizer.WHITESPACE_SPLIT, false);
            case "Metaspace" -> new Splitting(metaspace(json), false);
            default -> throw fail("the pre-tokenizer " + type + " is not supported");
        };
    }

    private PreTokenizer split(JsonNode json) {
        SplitBehavior behavior = behavior(json, "");
        boolean invert = json.path("invert").asBoolean(false);
        JsonNode pattern = json.path("pattern");
        return pattern.has("Regex")
                ? PreTokenizer.pattern(pattern.path("Regex").asString(""), behavior, invert)
                : PreTokenizer.literal(pattern.path("String").asString(""), behavior, invert);
    }

    private SplitBehavior behavior(JsonNode json, String usual) {
        String name = json.path("behavior").asString(usual);
        try {
            return SplitBehavior.of(name);
        } catch (IllegalArgumentException e) {
            throw fail("splitting with " + name + " is not supported");
        }
    }

    private PreTokenizer metaspace(JsonNode json) {
        String space = json.path("replacement").asString("\u2581");
        String scheme =
                json.path("prepend_scheme")
                        .asString(
                                json.path("add_prefix_space").asBoolean(true) ? "always" : "never");
        boolean always = scheme.equals("always");
        boolean onlyFirst = scheme.equals("first");
        require(always || onlyFirst || scheme.equals("never"), "Metaspace with " + scheme);
        boolean split = json.path("split").asBoolean(true);
        Pattern words = Pattern.compile("(?=" + Pattern.quote(space) + ")");
        return (text, first) -> {
            String replaced = text.replace(" ", space);
            if ((always || onlyFirst && first) && !replaced.startsWith(space)) {
                replaced = space + replaced;
            }
            return split ? List.of(words.split(replaced)) : List.of(replaced);
        };
    }

    /// Whether decoding takes the blank off again that normalizing puts first.
    private boolean stripsFirstSpace(JsonNode json, boolean byteLevel) {
        if (json.isMissingNode() || json.isNull() || byteLevel) {
            return false;
        }
        String type = json.path("type").asString("");
        return switch (type) {
            case "Sequence" -> {
                boolean strips = false;
                for (JsonNode part : json.path("decoders")) {
                    strips |= stripsFirstSpace(part, false);
                }
                yield strips;
            }
            case "Strip" -> json.path("start").asInt(0) > 0;
            case "Metaspace" -> !json.path("prepend_scheme").asString("always").equals("never");
            case "Replace", "ByteFallback", "Fuse" -> false;
            default -> throw fail("the decoder " + type + " is not supported");
        };
    }

    private void require(boolean condition, String what) {
        if (!condition) {
            throw fail(what + " is not supported");
        }
    }

    private PenjingException fail(String what) {
        return new PenjingException("cannot use the tokenizer " + where + ": " + what);
    }
}
