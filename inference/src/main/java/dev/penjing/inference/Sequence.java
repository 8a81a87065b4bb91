package dev.penjing.inference;

import dev.penjing.inference.constraint.Matcher;
import dev.penjing.model.tokenizer.StreamingDecoder;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Optional;

/// A request on its way. The scheduler's thread alone touches it, but for `cancel` and `awaitEnd`.
final class Sequence implements Generation {
    final Request request;
    final Listener listener;

    /// Where its keys and values are; as many as it will ever need.
    int[] blocks = new int[0];

    private final Sampler sampler;
    private final StreamingDecoder decoder;
    private final StopFinder stops;
    private final Optional<Matcher> form;
    private final int limit;
    private final java.util.concurrent.CompletableFuture<Finish> end =
            new java.util.concurrent.CompletableFuture<>();
    private volatile boolean cancelled;

    private int[] tokens;
    private int length;
    private int computed;
    private int cached;
    private long lastSerial;
    private int keptBlocks;

    private final long arrived = System.nanoTime();
    private long admitted;
    private long first;
    private long last;

    /// @param contextLength of the model
    /// @param form of the answer, at its beginning
    Sequence(
            Request request,
            Listener listener,
            Tokenizer tokenizer,
            int contextLength,
            Optional<Matcher> form) {
        this.request = request;
        this.listener = listener;
        this.sampler = new Sampler(request.sampling(), request.prompt());
        this.decoder = new StreamingDecoder(tokenizer, true);
        this.stops = new StopFinder(request.stops());
        this.form = form;
        this.length = request.prompt().length;
        this.limit = (int) Math.min((long) length + request.maxNewTokens(), contextLength);
        this.tokens = Arrays.copyOf(request.prompt(), Math.min(limit, length + 64));
    }

    int blocksNeeded() {
        return Math.ceilDiv(limit, KeyValuePool.BLOCK);
    }

    /// Takes its blocks, those of a known beginning with what they hold.
    void admit(BlockManager manager) {
        admitted = System.nanoTime();
        blocks = new int[blocksNeeded()];
        int b = 0;
        // the last token of the prompt is computed anyway, for what comes after it
        for (; (b + 1) * KeyValuePool.BLOCK < length; b++) {
            long[] found = manager.find(lastSerial, tokens, b * KeyValuePool.BLOCK);
            if (found.length == 0) {
                break;
            }
            blocks[b] = (int) found[0];
            lastSerial = found[1];
        }
        keptBlocks = b;
        computed = b * KeyValuePool.BLOCK;
        cached = computed;
        for (; b < blocks.length; b++) {
            blocks[b] = manager.take();
        }
    }

    void release(BlockManager manager) {
        for (int block : blocks) {
            manager.release(block);
        }
        blocks = new int[0];
    }

    /// Tokens that have not gone through the model.
    int waiting() {
        return length - computed;
    }

    boolean decoding() {
        return length > request.prompt().length;
    }

    /// Adds the next `count` tokens to a batch, the last one's logits wanted if all are there.
    void fill(Batch batch, int count) {
        for (int i = 0; i < count; i++) {
            int position = computed + i;
            batch.add(tokens[position], position, blocks, position == length - 1);
        }
    }

    /// After `count` tokens went through the model.
    void advance(int count, BlockManager manager) {
        computed += count;
        while ((keptBlocks + 1) * KeyValuePool.BLOCK <= computed) {
            lastSerial =
                    manager.keep(
                            blocks[keptBlocks],
                            lastSerial,
                            tokens,
                            keptBlocks * KeyValuePool.BLOCK);
            keptBlocks++;
        }
    }

    /// Draws the next token and tells the listener.
    ///
    /// @return how it ended, if it did
    Optional<Finish.Reason> next(float[] logits, int at, int vocabulary, Engine engine) {
        Optional<float[]> raw = Optional.empty();
        if (request.topLogProbabilities().isPresent()) {
            raw = Optional.of(Arrays.copyOfRange(logits, at, at + vocabulary));
        }
        Optional<long[]> mask = form.map(Matcher::mask);
        if (mask.isPresent() && Arrays.stream(mask.get()).allMatch(word -> word == 0)) {
            return Optional.of(Finish.Reason.DEAD_END);
        }
        int id = sampler.next(logits, at, vocabulary, mask);
        if (form.isPresent() && !form.get().accept(id)) {
            return Optional.of(Finish.Reason.DEAD_END);
        }
        last = System.nanoTime();
        first = first == 0 ? last : first;
        Optional<LogProbabilities> probabilities =
                raw.map(r ->
                        Sampler.logProbabilities(
                                r, 0, vocabulary, id, request.topLogProbabilities().orElse(0)));
        boolean ends =
                engine.isEnd(id) && (!request.ignoreEnd() || form.isPresent())
                        || request.stopTokens().contains(id);
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.min(limit, 2 * length));
        }
        tokens[length++] = id;
        listener.token(id, ends ? "" : stops.add(decoder.add(id)), probabilities);
        // a value after which nothing may follow needs no token that says so
        if (ends || stops.found() || form.map(Matcher::ended).orElse(false)) {
            return Optional.of(Finish.Reason.STOP);
        }
        return length == limit ? Optional.of(Finish.Reason.LENGTH) : Optional.empty();
    }

    void finish(Finish.Reason reason) {
        String rest = stops.found() ? "" : stops.add(decoder.finish()) + stops.finish();
        long end = System.nanoTime();
        long start = admitted == 0 ? end : admitted;
        Finish finish =
                new Finish(
                        reason,
                        request.prompt().length,
                        cached,
                        length - request.prompt().length,
                        (start - arrived) / 1e9,
                        first == 0 ? 0 : (first - start) / 1e9,
                        first == 0 ? 0 : (last - first) / 1e9);
        try {
            listener.finished(finish, rest);
        } finally {
            this.end.complete(finish);
        }
    }

    boolean cancelled() {
        return cancelled;
    }

    @Override
    public void cancel() {
        cancelled = true;
    }

    @Override
    public Finish awaitEnd() {
        return end.join();
    }
}
