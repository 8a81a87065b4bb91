package dev.penjing.inference.scheduling;

import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.cache.BlockManager;
import dev.penjing.inference.cache.CachedTokens;
import dev.penjing.inference.constraint.GuidedDecoding;
import dev.penjing.inference.constraint.Matcher;
import dev.penjing.inference.forward.Batch;
import dev.penjing.inference.forward.ForwardPass;
import dev.penjing.inference.sampling.Sampler;
import dev.penjing.inference.sampling.StopFinder;
import dev.penjing.inference.speculation.Draft;
import dev.penjing.inference.speculation.DraftTarget;
import dev.penjing.model.tokenizer.StreamingDecoder;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/// A request on its way. The scheduler's thread alone touches it, but for `cancel` and `awaitEnd`.
public final class Sequence implements Generation, DraftTarget {
    /// A token that was drawn, while a worker finds out whether the constraint takes it.
    private record Pending(int id, Optional<LogProbabilities> probabilities) {}

    private final Request request;
    private final Listener listener;
    private final Set<Integer> ends;
    private final CachedTokens cache = new CachedTokens();
    private final Sampler sampler;
    private final StreamingDecoder decoder;
    private final StopFinder stops;
    private final Optional<GuidedDecoding> form;
    private final Draft draft = new Draft(this);
    private final int limit;
    private final CompletableFuture<Finish> end = new CompletableFuture<>();
    private volatile boolean cancelled;

    private int[] tokens;
    private int length;
    private int cached;

    /// Logits to draw the next token from, while its mask is not found: one row, or none.
    private float[] held = new float[0];

    private Optional<Pending> pending = Optional.empty();

    private final long arrived = System.nanoTime();
    private long admitted;
    private long first;
    private long last;

    /// @param contextLength of the model
    /// @param ends tokens that end an answer
    /// @param form of the answer, at its beginning
    public Sequence(
            Request request,
            Listener listener,
            Tokenizer tokenizer,
            int contextLength,
            Set<Integer> ends,
            Optional<GuidedDecoding> form) {
        this.request = request;
        this.listener = listener;
        this.ends = ends;
        this.sampler = new Sampler(request.sampling(), request.prompt());
        this.decoder = new StreamingDecoder(tokenizer, true);
        this.stops = new StopFinder(request.stops());
        this.form = form;
        this.length = request.prompt().length;
        this.limit = (int) Math.min((long) length + request.maxNewTokens(), contextLength);
        this.tokens = Arrays.copyOf(request.prompt(), Math.min(limit, length + 64));
    }

    Listener listener() {
        return listener;
    }

    /// Takes its blocks, those of the prefix cache with what they hold.
    void admit(BlockManager manager) {
        admitted = System.nanoTime();
        cache.admit(tokens, length, manager.blocksOf(limit), manager);
        cached = cache.computed();
    }

    /// Takes over what another request with the same prefix has computed of the prompt by now.
    void catchUp(BlockManager manager) {
        cached += cache.catchUp(tokens, length, manager);
    }

    void release(BlockManager manager) {
        cache.release(manager);
    }

    /// Tokens that have not gone through the model.
    int waiting() {
        return length - cache.computed();
    }

    @Override
    public boolean decoding() {
        return made() > 0;
    }

    /// Tokens of the answer.
    int made() {
        return length - request.prompt().length;
    }

    int lastToken() {
        return tokens[length - 1];
    }

    @Override
    public Draft draft() {
        return draft;
    }

    @Override
    public int[] tokens() {
        return tokens;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int limit() {
        return limit;
    }

    @Override
    public Optional<Matcher> form() {
        return form.map(GuidedDecoding::matcher);
    }

    @Override
    public int guess(float[] logits, int at, int vocabulary, Optional<long[]> mask) {
        return sampler.guess(logits, at, vocabulary, mask);
    }

    /// Adds the next `count` tokens to a batch, the last one's logits wanted if all are there; and
    /// behind it what is proposed, all of it wanted.
    void fill(Batch batch, int count) {
        for (int i = 0; i < count; i++) {
            int position = cache.computed() + i;
            batch.add(tokens[position], position, cache.blocks(), position == length - 1);
        }
        draft.fillTarget(batch, cache.blocks());
    }

    /// After `count` tokens went through the model.
    void advance(int count, BlockManager manager) {
        cache.advance(count, tokens, manager);
    }

    /// Whether its next token waits for a worker: then nothing of it goes through the model.
    boolean held() {
        return held.length > 0 || pending.isPresent();
    }

    /// Draws the next token and tells the listener; or holds the logits until there is a mask for
    /// them.
    ///
    /// @param logits of the vocabulary from `at` on; they are changed
    /// @return how it ended, if it did
    /// @throws dev.penjing.model.PenjingException if a logit is not finite
    Optional<Finish.Reason> next(ForwardPass pass, float[] logits, int at) {
        int vocabulary = pass.vocabularySize();
        Sampler.requireFinite(logits, at, vocabulary);
        if (form.isPresent() && !form.get().ready()) {
            held = Arrays.copyOfRange(logits, at, at + vocabulary);
            return Optional.empty();
        }
        return draw(pass, logits, at);
    }

    /// Goes on with what was held, if it can.
    Optional<Finish.Reason> resume(ForwardPass pass) {
        if (pending.isPresent()) {
            Pending drawn = pending.get();
            return settle(drawn, form.orElseThrow().taken());
        }
        if (!form.orElseThrow().ready()) {
            return Optional.empty();
        }
        float[] logits = held;
        held = new float[0];
        return draw(pass, logits, 0);
    }

    private Optional<Finish.Reason> draw(ForwardPass pass, float[] logits, int at) {
        int vocabulary = pass.vocabularySize();
        Optional<float[]> raw = Optional.empty();
        if (request.topLogProbabilities().isPresent()) {
            raw = Optional.of(Arrays.copyOfRange(logits, at, at + vocabulary));
        }
        Optional<long[]> mask = form.map(GuidedDecoding::mask);
        if (mask.isPresent() && Arrays.stream(mask.get()).allMatch(word -> word == 0)) {
            return Optional.of(Finish.Reason.DEAD_END);
        }
        boolean early = made() < request.minNewTokens();
        int id =
                sampler.next(
                        logits,
                        at,
                        vocabulary,
                        early ? withoutEnds(mask, logits, at, vocabulary) : mask);
        Optional<LogProbabilities> probabilities =
                raw.map(r ->
                        LogProbabilities.of(
                                r,
                                pass.logSumExp(r, 0),
                                id,
                                request.topLogProbabilities().orElse(0)));
        Pending drawn = new Pending(id, probabilities);
        return settle(drawn, form.map(f -> f.accept(id)).orElse(Matcher.Step.TAKEN));
    }

    private Optional<Finish.Reason> settle(Pending drawn, Matcher.Step step) {
        return switch (step) {
            case REFUSED -> Optional.of(Finish.Reason.DEAD_END);
            case PENDING -> {
                pending = Optional.of(drawn);
                yield Optional.empty();
            }
            case TAKEN -> {
                pending = Optional.empty();
                yield add(drawn.id, drawn.probabilities);
            }
        };
    }

    private Optional<Finish.Reason> add(int id, Optional<LogProbabilities> probabilities) {
        last = System.nanoTime();
        first = first == 0 ? last : first;
        boolean early = made() < request.minNewTokens();
        boolean isEnd =
                ends.contains(id) && (!request.ignoreEnd() || form.isPresent())
                        || request.stopTokens().contains(id);
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.min(limit, 2 * length));
        }
        tokens[length++] = id;
        listener.token(id, isEnd ? "" : stops.add(decoder.add(id), early), probabilities);
        // a value after which nothing may follow needs no token that says so
        if (isEnd || stops.found() || form.map(GuidedDecoding::ended).orElse(false)) {
            return Optional.of(Finish.Reason.STOP);
        }
        return length == limit ? Optional.of(Finish.Reason.LENGTH) : Optional.empty();
    }

    /// Takes away the tokens that would end the answer: from the mask of a form, if it has others,
    /// else from the logits.
    private Optional<long[]> withoutEnds(
            Optional<long[]> mask, float[] logits, int at, int vocabulary) {
        Set<Integer> all = new HashSet<>(request.stopTokens());
        if (!request.ignoreEnd() || form.isPresent()) {
            all.addAll(ends);
        }
        all.removeIf(id -> id < 0 || id >= vocabulary);
        if (mask.isEmpty()) {
            all.forEach(id -> logits[at + id] = Float.NEGATIVE_INFINITY);
            return mask;
        }
        long[] others = mask.get().clone();
        all.forEach(id -> others[id >> 6] &= ~(1L << id));
        return Arrays.stream(others).allMatch(word -> word == 0) ? mask : Optional.of(others);
    }

    /// Ends it. What the listener throws is thrown on.
    ///
    /// @param cause if it failed
    void finish(Finish.Reason reason, Optional<Throwable> cause) {
        Finish finish = finished(reason, cause);
        String rest = "";
        try {
            boolean early = made() <= request.minNewTokens();
            rest = stops.found() ? "" : stops.add(decoder.finish(), early) + stops.finish();
        } catch (RuntimeException | Error e) {
            finish = finished(Finish.Reason.FAILED, Optional.of(e));
            throw e;
        } finally {
            try {
                listener.finished(finish, rest);
            } finally {
                end.complete(finish);
            }
        }
    }

    private Finish finished(Finish.Reason reason, Optional<Throwable> cause) {
        long now = System.nanoTime();
        long start = admitted == 0 ? now : admitted;
        return new Finish(
                reason,
                request.prompt().length,
                cached,
                made(),
                (start - arrived) / 1e9,
                first == 0 ? 0 : (first - start) / 1e9,
                first == 0 ? 0 : (last - first) / 1e9,
                draft.proposed(),
                draft.accepted(),
                cause);
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
