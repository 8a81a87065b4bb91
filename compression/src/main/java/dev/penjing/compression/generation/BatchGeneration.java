package dev.penjing.compression.generation;

import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.language.Prompt;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/// Generates answers to several prompts at once (static batching with refill), a token of each in
/// every pass.
///
/// The beginning that all prompts share is computed once, as the [SharedPrefix]. Every answer has a
/// row of its own in a second cache, where the rest of its prompt stands before its tokens. All
/// rows end at the same position, so shorter rows begin later, and the mask hides the padding
/// before them. When an answer is complete, the next prompt takes its row; when no prompt is left,
/// ended rows are dropped as soon as they are half of all.
///
/// Memory: at most 32 rows, and no more than fit into 2 GiB of keys and values at twice the length
/// of the longest possible row. The factor of two is for padding.
final class BatchGeneration implements AutoCloseable {
    private static final long CACHE_BYTES = 2L << 30;
    private static final int MOST_ROWS = 32;

    /// Unused positions at the beginning of all rows that are worth moving the rest for.
    private static final int WASTE = 256;

    private static final class Answer {
        final int index;
        final Prompt prompt;
        final int most;
        final SplittableRandom random;
        final List<Integer> made = new ArrayList<>();

        /// Where the row begins in the cache.
        int start;

        boolean ended;

        Answer(int index, Prompt prompt, int contextLength) {
            this.index = index;
            this.prompt = prompt;
            this.most = Math.min(prompt.maxNewTokens(), contextLength - prompt.ids().length);
            this.random = new SplittableRandom(prompt.draw().seed());
        }
    }

    private final Decoder decoder;
    private final ModelConfig config;
    private final Compute compute;
    private final IntConsumer done;
    private final int[][] results;
    private final Deque<Answer> waiting = new ArrayDeque<>();
    private final List<Answer> rows = new ArrayList<>();
    private final TokenSampler draw;
    private final int shared;
    private final SharedPrefix prefix;
    private final KeyValueCache own;

    /// What stands in the prefix's memory, whatever its length says.
    private int[] inPrefix = new int[0];

    /// @param prompts at least one, within the vocabulary and shorter than the context
    private BatchGeneration(
            Decoder decoder, List<Prompt> prompts, IntConsumer done, SharedPrefix prefix) {
        this.decoder = decoder;
        this.config = decoder.config();
        this.compute = decoder.compute();
        this.done = done;
        this.results = new int[prompts.size()][];
        this.draw = new TokenSampler(config.vocabularySize());
        int common = prompts.getFirst().ids().length;
        for (Prompt prompt : prompts) {
            common =
                    Math.min(
                            common, TokenPrefixTree.shared(prompts.getFirst().ids(), prompt.ids()));
            // a row's first token comes from its own last position
            common = Math.min(common, prompt.ids().length - 1);
        }
        this.shared = common;
        int longest = 0;
        int longestPrompt = 0;
        for (int i = 0; i < prompts.size(); i++) {
            Answer answer = new Answer(i, prompts.get(i), config.maxPositionEmbeddings());
            waiting.add(answer);
            int rest = answer.prompt.ids().length - shared;
            longestPrompt = Math.max(longestPrompt, rest);
            longest = Math.max(longest, rest + answer.most);
        }
        long rowBytes = longest * KeyValueCache.bytesPerPosition(config, compute);
        int most = (int) Math.clamp(CACHE_BYTES / (2 * rowBytes), 1, MOST_ROWS);
        this.prefix = prefix;
        this.own =
                new KeyValueCache(
                        config, compute, Math.min(most, prompts.size()), longestPrompt + 64L);
    }

    /// Continues each prompt.
    static List<int[]> run(Decoder decoder, List<Prompt> prompts, IntConsumer done) {
        if (prompts.isEmpty()) {
            return List.of();
        }
        try (AutoGradMode noGrad = new AutoGradMode(false);
                SharedPrefix prefix = new SharedPrefix(decoder);
                BatchGeneration run = new BatchGeneration(decoder, prompts, done, prefix)) {
            return run.run();
        }
    }

    private List<int[]> run() {
        try (PointerScope scope = new PointerScope()) {
            if (shared > 0) {
                prefix.readAll(waiting.getFirst().prompt.ids(), 0, shared);
            }
        }
        int places = own.rows();
        // where the longest of them ends, all do
        own.length(
                waiting.stream()
                        .limit(places)
                        .mapToInt(a -> a.prompt.ids().length - shared)
                        .max()
                        .orElse(0));
        while (rows.size() < places && !waiting.isEmpty()) {
            next().ifPresent(answer -> {
                rows.add(answer);
                place(answer, rows.size() - 1);
            });
        }
        if (!rows.isEmpty() && rows.size() < places) {
            // some answers were complete with their first token
            move(allRows(rows.size()), 0, 0);
        }
        while (rows.stream().anyMatch(a -> !a.ended)) {
            shrink();
            step();
            for (int row = 0; row < rows.size(); row++) {
                if (rows.get(row).ended) {
                    int free = row;
                    next().ifPresent(answer -> {
                        rows.set(free, answer);
                        place(answer, free);
                    });
                }
            }
        }
        return List.of(results);
    }

    /// The next prompt that wants more than one token, with its first one; its keys and values
    /// behind what is shared are the prefix's end.
    private Optional<Answer> next() {
        while (!waiting.isEmpty()) {
            Answer answer = waiting.remove();
            int[] ids = answer.prompt.ids();
            // samples of one prompt follow one another
            int known =
                    Math.max(
                            shared,
                            Math.min(TokenPrefixTree.shared(inPrefix, ids), ids.length - 1));
            prefix.cut(known);
            inPrefix = ids;
            try (PointerScope scope = new PointerScope()) {
                Tensor last = prefix.readAll(ids, known, ids.length);
                take(answer, Tensors.floats(decoder.logits(last)), 0);
            }
            if (!answer.ended) {
                return Optional.of(answer);
            }
        }
        return Optional.empty();
    }

    /// Copies the prefix's end into a row, so that it ends where all rows do.
    private void place(Answer answer, int row) {
        int count = prefix.length() - shared;
        int all = Math.toIntExact(own.length());
        if (count > all) {
            move(allRows(own.rows()), 0, count - all);
        }
        answer.start = Math.toIntExact(own.length()) - count;
        own.copy(row, answer.start, prefix.cache(), shared, count);
    }

    /// Moves rows within the cache: see [KeyValueCache#arrange].
    private void move(int[] kept, int from, int to) {
        long used = own.length() - from + to;
        own.arrange(kept, from, to, used + 64 + used / 4);
        for (Answer answer : rows) {
            answer.start += to - from;
        }
    }

    private static int[] allRows(int count) {
        int[] all = new int[count];
        Arrays.setAll(all, i -> i);
        return all;
    }

    /// Drops rows that have ended, and positions that no row uses any more.
    private void shrink() {
        int[] live =
                java.util.stream.IntStream.range(0, rows.size())
                        .filter(row -> !rows.get(row).ended)
                        .toArray();
        int unused = Math.toIntExact(own.length());
        for (int row : live) {
            unused = Math.min(unused, rows.get(row).start);
        }
        boolean fewer = live.length * 2 <= own.rows();
        if (fewer || unused >= WASTE && unused * 2L >= own.length()) {
            int[] kept = fewer ? live : allRows(own.rows());
            List<Answer> keptRows = new ArrayList<>();
            for (int row : kept) {
                keptRows.add(rows.get(row));
            }
            rows.clear();
            rows.addAll(keptRows);
            move(kept, unused, 0);
        }
    }

    /// One token for each row.
    private void step() {
        int count = rows.size();
        int at = Math.toIntExact(own.length());
        int[] ids = new int[count];
        int[] positions = new int[count];
        for (int row = 0; row < count; row++) {
            Answer answer = rows.get(row);
            if (answer.ended) {
                answer.start = at; // sees the prefix and itself
            } else {
                ids[row] = answer.made.getLast();
            }
            positions[row] = shared + at - answer.start;
        }
        own.reserve(at + 1L);
        float[] logits;
        try (PointerScope scope = new PointerScope()) {
            CachedAttention attention =
                    new CachedAttention(
                            decoder,
                            decoder.rotations(positions, count),
                            prefix.cache(),
                            false,
                            Optional.of(own),
                            Windows.masks(config, window -> mask(positions, at + 1, window)));
            prefix.cut(shared);
            Tensor idsBL = compute.place(Tensors.ids(ids, count, 1));
            Tensor hidden = decoder.hidden(decoder.embed(idsBL), attention);
            logits = Tensors.floats(decoder.logits(hidden));
        }
        own.length(at + 1L);
        for (int row = 0; row < count; row++) {
            if (!rows.get(row).ended) {
                take(rows.get(row), logits, row * config.vocabularySize());
            }
        }
    }

    /// Hides what stands before a row's beginning, and what its window has passed; empty if nothing
    /// is to be hidden.
    private Optional<Tensor> mask(int[] positions, int width, int window) {
        boolean windowed = Arrays.stream(positions).anyMatch(p -> p >= window);
        if (!windowed && rows.stream().allMatch(a -> a.start == 0)) {
            return Optional.empty();
        }
        int before = windowed ? shared : 0;
        int columns = before + width;
        float[] mask = new float[positions.length * columns];
        for (int row = 0; row < positions.length; row++) {
            int start = rows.get(row).start;
            for (int j = 0; j < columns; j++) {
                int slot = j - before;
                int position = slot < 0 ? j : shared + slot - start;
                boolean seen = (slot < 0 || slot >= start) && positions[row] - position < window;
                mask[row * columns + j] = seen ? 0 : Float.NEGATIVE_INFINITY;
            }
        }
        return Optional.of(compute.tensor(mask, positions.length, 1, columns));
    }

    /// Draws an answer's next id.
    private void take(Answer answer, float[] logits, int at) {
        int id = draw.next(logits, at, answer.prompt.draw(), answer.random);
        answer.made.add(id);
        answer.ended = answer.prompt.last().test(id) || answer.made.size() >= answer.most;
        if (answer.ended) {
            results[answer.index] = answer.made.stream().mapToInt(Integer::intValue).toArray();
            done.accept(answer.index);
        }
    }

    @Override
    public void close() {
        own.close();
    }
}
