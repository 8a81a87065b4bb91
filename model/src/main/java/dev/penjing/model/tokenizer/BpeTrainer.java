package dev.penjing.model.tokenizer;

import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Trains byte-pair encodings (Sennrich et al. 2016): the most frequent pair of neighbours becomes
/// a token, again and again. Of equally frequent pairs the one with the lower ids goes first, so a
/// text has one tokenizer.
public final class BpeTrainer {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final List<String> tokens = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private final List<long[]> merges = new ArrayList<>();

    private BpeTrainer(List<String> special) {
        special.forEach(this::token);
    }

    /// Bytes as the alphabet, digits one by one, GPT-2's pattern: SmolLM's form. Special tokens get
    /// the first ids and are not learned from.
    public static Tokenizer trainByteLevel(
            Iterable<String> texts, int vocabularySize, List<String> special) {
        BpeTrainer trainer = new BpeTrainer(special);
        List<Character> alphabet = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            alphabet.add(ByteAlphabet.of(b));
        }
        alphabet.stream().sorted().forEach(c -> trainer.token(String.valueOf(c)));
        PreTokenizer split =
                PreTokenizer.sequence(
                        List.of(
                                PreTokenizer.digits(true),
                                PreTokenizer.pattern(PreTokenizer.GPT2)));
        Map<String, Integer> counts = count(texts, special, split);
        Map<int[], Integer> words = new LinkedHashMap<>();
        counts.forEach((piece, count) -> {
            byte[] bytes = piece.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            int[] word = new int[bytes.length];
            for (int i = 0; i < word.length; i++) {
                word[i] = trainer.token(String.valueOf(ByteAlphabet.of(bytes[i])));
            }
            words.put(word, count);
        });
        trainer.train(words, vocabularySize);
        return TokenizerJson.read(trainer.json(special, byteLevelParts()), "just trained");
    }

    private static Map<String, Integer> count(
            Iterable<String> texts, List<String> special, PreTokenizer split) {
        Map<String, Integer> counts = new TreeMap<>();
        for (String text : texts) {
            String plain = text;
            for (String token : special) {
                plain = plain.replace(token, "");
            }
            split.split(plain).forEach(piece -> counts.merge(piece, 1, Integer::sum));
        }
        return counts;
    }

    private int token(String written) {
        return ids.computeIfAbsent(
                written,
                w -> {
                    tokens.add(w);
                    return tokens.size() - 1;
                });
    }

    private record Candidate(long count, long pair) {}

    private void train(Map<int[], Integer> words, int vocabularySize) {
        if (vocabularySize < tokens.size()) {
            throw new UsageException(
                    "a vocabulary of %d is too small: bytes and special tokens alone are %d"
                            .formatted(vocabularySize, tokens.size()));
        }
        int[][] pieces = words.keySet().toArray(int[][]::new);
        int[] counts = words.values().stream().mapToInt(Integer::intValue).toArray();
        Map<Long, Long> pairs = new HashMap<>();
        Map<Long, Set<Integer>> where = new HashMap<>();
        for (int w = 0; w < pieces.length; w++) {
            for (int i = 0; i + 1 < pieces[w].length; i++) {
                long pair = pair(pieces[w][i], pieces[w][i + 1]);
                pairs.merge(pair, (long) counts[w], Long::sum);
                where.computeIfAbsent(pair, p -> new HashSet<>()).add(w);
            }
        }
        PriorityQueue<Candidate> queue =
                new PriorityQueue<>(
                        Comparator.comparingLong((Candidate c) -> -c.count())
                                .thenComparingLong(Candidate::pair));
        pairs.forEach((pair, count) -> queue.add(new Candidate(count, pair)));
        while (tokens.size() < vocabularySize && !queue.isEmpty()) {
            Candidate best = queue.poll();
            long now = pairs.getOrDefault(best.pair(), 0L);
            if (now != best.count()) {
                if (now > 0) {
                    queue.add(new Candidate(now, best.pair()));
                }
                continue;
            }
            if (now < 1) {
                continue;
            }
            Set<Long> grown = merge(best.pair(), pieces, counts, pairs, where);
            grown.forEach(pair -> queue.add(new Candidate(pairs.getOrDefault(pair, 0L), pair)));
        }
    }

    /// Makes a pair one token wherever it stands.
    ///
    /// @return the pairs that now are more
    private Set<Long> merge(
            long pair,
            int[][] pieces,
            int[] counts,
            Map<Long, Long> pairs,
            Map<Long, Set<Integer>> where) {
        int left = (int) (pair >>> 32);
        int right = (int) pair;
        int merged = token(tokens.get(left) + tokens.get(right));
        merges.add(new long[] {left, right});
        Set<Long> grown = new HashSet<>();
        for (int w : where.getOrDefault(pair, Set.of())) {
            int[] before = pieces[w];
            int[] after = new int[before.length];
            int length = 0;
            for (int i = 0; i < before.length; i++) {
                boolean here = i + 1 < before.length && before[i] == left && before[i + 1] == right;
                after[length++] = here ? merged : before[i];
                i += here ? 1 : 0;
            }
            if (length == before.length) {
                continue;
            }
            for (int i = 0; i + 1 < before.length; i++) {
                pairs.merge(pair(before[i], before[i + 1]), (long) -counts[w], Long::sum);
            }
            pieces[w] = Arrays.copyOf(after, length);
            for (int i = 0; i + 1 < length; i++) {
                long next = pair(after[i], after[i + 1]);
                pairs.merge(next, (long) counts[w], Long::sum);
                where.computeIfAbsent(next, p -> new HashSet<>()).add(w);
                if (after[i] == merged || after[i + 1] == merged) {
                    grown.add(next);
                }
            }
        }
        pairs.remove(pair);
        where.remove(pair);
        return grown;
    }

    private static long pair(int left, int right) {
        return ((long) left << 32) | right;
    }

    private static ObjectNode byteLevelParts() {
        ObjectNode root = JSON.createObjectNode();
        root.putNull("normalizer");
        ObjectNode sequence = root.putObject("pre_tokenizer");
        sequence.put("type", "Sequence");
        ArrayNode parts = sequence.putArray("pretokenizers");
        parts.addObject().put("type", "Digits").put("individual_digits", true);
        for (ObjectNode component : List.of(parts.addObject(), root.putObject("decoder"))) {
            component.put("type", "ByteLevel");
            component.put("add_prefix_space", false);
            component.put("trim_offsets", true);
            component.put("use_regex", true);
        }
        return root;
    }

    private ObjectNode json(List<String> special, ObjectNode parts) {
        ObjectNode root = JSON.createObjectNode();
        root.put("version", "1.0");
        root.putNull("truncation");
        root.putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        for (String token : special) {
            ObjectNode entry = added.addObject();
            entry.put("id", ids.getOrDefault(token, -1));
            entry.put("content", token);
            entry.put("single_word", false);
            entry.put("lstrip", false);
            entry.put("rstrip", false);
            entry.put("normalized", false);
            entry.put("special", true);
        }
        root.setAll(parts);
        root.putNull("post_processor");
        ObjectNode model = root.putObject("model");
        model.put("type", "BPE");
        model.putNull("dropout");
        model.putNull("unk_token");
        model.putNull("continuing_subword_prefix");
        model.putNull("end_of_word_suffix");
        model.put("fuse_unk", false);
        model.put("byte_fallback", false);
        model.put("ignore_merges", false);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        ArrayNode list = model.putArray("merges");
        for (long[] merge : merges) {
            list.addArray().add(tokens.get((int) merge[0])).add(tokens.get((int) merge[1]));
        }
        return root;
    }
}
