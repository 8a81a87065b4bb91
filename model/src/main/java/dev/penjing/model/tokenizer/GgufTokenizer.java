package dev.penjing.model.tokenizer;

import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Turns the tokenizer in a GGUF file's metadata into the `tokenizer.json` that means the same.
final class GgufTokenizer {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    // llama.cpp, llama_token_type
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;

    private final Map<String, Object> metadata;
    private final String[] tokens;
    private final ObjectNode root = JSON.createObjectNode();
    private final ObjectNode model = JSON.createObjectNode();

    private GgufTokenizer(Map<String, Object> metadata) {
        this.metadata = metadata;
        this.tokens = required("tokenizer.ggml.tokens", String[].class);
    }

    static ObjectNode json(Map<String, Object> metadata) {
        return new GgufTokenizer(metadata).build();
    }

    private ObjectNode build() {
        root.put("version", "1.0");
        root.putNull("truncation");
        root.putNull("padding");
        added();
        String kind = required("tokenizer.ggml.model", String.class);
        switch (kind) {
            case "gpt2" -> byteLevel();
            case "llama" -> sentencePiece();
            default ->
                    throw new PenjingException(
                            "the GGUF file's tokenizer is of the kind '"
                                    + kind
                                    + "': only gpt2 and llama are supported");
        }
        root.putNull("post_processor");
        model.put("type", "BPE");
        model.putNull("dropout");
        model.putNull("continuing_subword_prefix");
        model.putNull("end_of_word_suffix");
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.length; id++) {
            vocabulary.put(tokens[id], id);
        }
        root.set("model", model);
        return root;
    }

    private void added() {
        int[] types = optional("tokenizer.ggml.token_type", int[].class, new int[0]);
        ArrayNode added = root.putArray("added_tokens");
        for (int id = 0; id < Math.min(types.length, tokens.length); id++) {
            if (types[id] == CONTROL || types[id] == USER_DEFINED || types[id] == UNKNOWN) {
                ObjectNode token = added.addObject();
                token.put("id", id);
                token.put("content", tokens[id]);
                token.put("single_word", false);
                token.put("lstrip", false);
                token.put("rstrip", false);
                token.put("normalized", false);
                token.put("special", types[id] != USER_DEFINED);
            }
        }
    }

    private void byteLevel() {
        String pre = optional("tokenizer.ggml.pre", String.class, "gpt-2");
        ObjectNode sequence = JSON.createObjectNode();
        sequence.put("type", "Sequence");
        ArrayNode parts = sequence.putArray("pretokenizers");
        boolean gpt2Pattern = true;
        switch (pre) {
            case "gpt-2", "default" -> {}
            case "smollm" -> parts.addObject().put("type", "Digits").put("individual_digits", true);
            default -> {
                gpt2Pattern = false;
                ObjectNode split = parts.addObject();
                split.put("type", "Split");
                split.putObject("pattern").put("Regex", pattern(pre));
                split.put("behavior", "Isolated");
                split.put("invert", false);
            }
        }
        parts.add(byteLevelComponent(gpt2Pattern));
        root.putNull("normalizer");
        root.set("pre_tokenizer", sequence);
        root.set("decoder", byteLevelComponent(true));
        model.put("byte_fallback", false);
        model.put("ignore_merges", pre.equals("llama-bpe") || pre.equals("llama3"));
        ArrayNode merges = model.putArray("merges");
        for (String merge : required("tokenizer.ggml.merges", String[].class)) {
            int space = merge.indexOf(' ', 1);
            if (space < 0) {
                throw new PenjingException("the GGUF file's merge '" + merge + "' is no pair");
            }
            merges.addArray().add(merge.substring(0, space)).add(merge.substring(space + 1));
        }
    }

    private static String pattern(String pre) {
        return switch (pre) {
            case "llama-bpe", "llama3" -> PreTokenizer.LLAMA3;
            case "qwen2" -> PreTokenizer.QWEN2;
            case "tekken" -> PreTokenizer.TEKKEN;
            default ->
                    throw new PenjingException(
                            "the GGUF file's pre-tokenizer '"
                                    + pre
                                    + "' is not known: only gpt-2, llama-bpe, qwen2, smollm and"
                                    + " tekken are");
        };
    }

    private static ObjectNode byteLevelComponent(boolean useRegex) {
        ObjectNode component = JSON.createObjectNode();
        component.put("type", "ByteLevel");
        component.put("add_prefix_space", false);
        component.put("trim_offsets", true);
        component.put("use_regex", useRegex);
        return component;
    }

    private void sentencePiece() {
        boolean prefix = optional("tokenizer.ggml.add_space_prefix", Boolean.class, true);
        ObjectNode normalizer = root.putObject("normalizer");
        normalizer.put("type", "Sequence");
        ArrayNode steps = normalizer.putArray("normalizers");
        if (prefix) {
            steps.addObject().put("type", "Prepend").put("prepend", "\u2581");
        }
        ObjectNode blanks = steps.addObject().put("type", "Replace");
        blanks.putObject("pattern").put("String", " ");
        blanks.put("content", "\u2581");
        root.putNull("pre_tokenizer");
        ObjectNode decoder = root.putObject("decoder");
        decoder.put("type", "Sequence");
        ArrayNode undo = decoder.putArray("decoders");
        ObjectNode words = undo.addObject().put("type", "Replace");
        words.putObject("pattern").put("String", "\u2581");
        words.put("content", " ");
        undo.addObject().put("type", "ByteFallback");
        undo.addObject().put("type", "Fuse");
        if (prefix) {
            ObjectNode strip = undo.addObject().put("type", "Strip").put("content", " ");
            strip.put("start", 1);
            strip.put("stop", 0);
        }
        model.put("byte_fallback", true);
        model.put("fuse_unk", true);
        model.put("unk_token", tokens[0]);
        mergesByScore(required("tokenizer.ggml.scores", float[].class));
    }

    /// SentencePiece merges the pair whose joint token scores best: all ways to split each token,
    /// best token first.
    private void mergesByScore(float[] scores) {
        if (scores.length < tokens.length) {
            throw new PenjingException("the GGUF file has fewer scores than tokens");
        }
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < tokens.length; id++) {
            ids.put(tokens[id], id);
        }
        record Merge(String left, String right, float score, int leftId, int rightId) {}
        List<Merge> merges = new ArrayList<>();
        for (int id = 0; id < tokens.length; id++) {
            String token = tokens[id];
            for (int at = 1; at < token.length(); at++) {
                Integer left = ids.get(token.substring(0, at));
                Integer right = ids.get(token.substring(at));
                if (left != null && right != null) {
                    merges.add(
                            new Merge(
                                    token.substring(0, at),
                                    token.substring(at),
                                    scores[id],
                                    left,
                                    right));
                }
            }
        }
        merges.sort(
                Comparator.comparingDouble((Merge m) -> -m.score())
                        .thenComparingInt(Merge::leftId)
                        .thenComparingInt(Merge::rightId));
        ArrayNode json = model.putArray("merges");
        merges.forEach(m -> json.addArray().add(m.left()).add(m.right()));
    }

    private <T> T required(String key, Class<T> type) {
        Object value = metadata.get(key);
        if (!type.isInstance(value)) {
            throw new PenjingException(
                    "the GGUF file has no " + key + ": it carries no tokenizer that can be used");
        }
        return type.cast(value);
    }

    private <T> T optional(String key, Class<T> type, T otherwise) {
        Object value = metadata.get(key);
        return type.isInstance(value) ? type.cast(value) : otherwise;
    }
}
