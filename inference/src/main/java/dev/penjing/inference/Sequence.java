package dev.penjing.inference;

import dev.penjing.inference.constraint.Matcher;
import dev.penjing.model.tokenizer.StreamingDecoder;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// A request on its way. The scheduler's thread alone touches it, but for `cancel` and `awaitEnd`.
final class Sequence implements Generation {
    final Request request;
    final Listener listener;

    /// What a draft proposes behind its last token; nothing if there is no draft.
    final Proposals draft = new Proposals();

    private final CachedTokens cache = new CachedTokens();
    private final Sampler sampler;
    private final StreamingDecoder decoder;
    private final StopFinder stops;
    private final Optional<Matcher> form;

    /// The form behind the proposals of this round.
    private Optional<Matcher> formAhead = Optional.empty();

    private final int limit;
    private final java.util.concurrent.CompletableFuture<Finish> end =
            new java.util.concurrent.CompletableFuture<>();
    private volatile boolean cancelled;

    private int[] tokens;
    private int length;
    private int cached;

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
        return blocksNeeded(limit);
    }

    /// In a model that sees so many tokens.
    int blocksNeeded(int contextLength) {
        return Math.ceilDiv(Math.min(limit, contextLength), KeyValuePool.BLOCK);
    }

    /// Takes its blocks, those of a known beginning with what they hold.
    void admit(BlockManager manager) {
        admitted = System.nanoTime();
        cache.admit(tokens, length, blocksNeeded(), manager);
        cached = cache.computed();
    }

    /// Takes over what another request with the same beginning has computed of the prompt by now.
    void catchUp(BlockManager manager) {
        cached += cache.catchUp(tokens, length, manager);
    }

    void admitDraft(int contextLength, BlockManager manager) {
        draft.cache.admit(tokens, length, blocksNeeded(contextLength), manager);
    }

    void release(BlockManager manager) {
        cache.release(manager);
    }

    /// Tokens that have not gone through the model.
    int waiting() {
        return length - cache.computed();
    }

    boolean decoding() {
        return made() > 0;
    }

    /// Tokens of the answer.
    int made() {
        return length - request.prompt().length;
    }

    int lastToken() {
        return tokens[length - 1];
    }

    /// Adds the next `count` tokens to a batch, the last one's logits wanted if all are there; and
    /// behind it what is proposed, all of it wanted.
    void fill(Batch batch, int count) {
        fill(batch, cache, count, true);
        for (int i = 0; i < draft.count(); i++) {
            batch.add(draft.id(i), length + i, cache.blocks(), true);
        }
    }

    private void fill(Batch batch, CachedTokens to, int count, boolean wanted) {
        for (int i = 0; i < count; i++) {
            int position = to.computed() + i;
            batch.add(tokens[position], position, to.blocks(), wanted && position == length - 1);
        }
    }

    /// After `count` tokens went through the model.
    void advance(int count, BlockManager manager) {
        cache.advance(count, tokens, manager);
    }

    /// How many tokens a draft with this context may propose: the last token of an answer needs
    /// none behind it.
    int draftRoom(int contextLength) {
        return Math.min(limit - 1, contextLength) - length;
    }

    /// Adds the tokens that the draft has not seen to its batch, as many as there is room for.
    ///
    /// @return whether these are all, and proposals wanted: then the last one's logits are, too
    boolean fillDraft(Batch batch, BlockManager manager) {
        int missing = length - draft.cache.computed();
        int count = Math.min(batch.room(), missing);
        boolean ready = count == missing && draft.wanting();
        fill(batch, draft.cache, count, ready);
        // the pass follows before anyone can look for the blocks
        draft.cache.advance(count, tokens, manager);
        return ready;
    }

    /// Adds the last proposal to the draft's batch, for the next.
    void fillProposal(Batch batch) {
        int position = length + draft.count() - 1;
        batch.add(draft.id(draft.count() - 1), position, draft.cache.blocks(), true);
    }

    /// Proposes the token that would most likely be drawn from the draft's logits, by the form,
    /// too; or ends the round. Changes the logits.
    void propose(float[] logits, int at, int vocabulary) {
        if (draft.count() == 0) {
            formAhead = form.map(Matcher::copy);
        }
        int id = sampler.guess(logits, at, vocabulary, formAhead.map(Matcher::mask));
        // a form's last token needs none behind it
        if (formAhead.isPresent() && (!formAhead.get().accept(id) || formAhead.get().ended())) {
            draft.enough();
        } else {
            draft.add(id);
        }
    }

    /// After the first `matches` proposals became its tokens.
    void settle(int matches, BlockManager manager) {
        // the draft has not seen its own last proposal
        int seen = Math.min(matches, draft.count() - 1);
        draft.cache.advance(seen, tokens, manager);
        draft.settle(matches);
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
        boolean early = made() < request.minNewTokens();
        int id =
                sampler.next(
                        logits,
                        at,
                        vocabulary,
                        early ? withoutEnds(mask, logits, at, vocabulary, engine) : mask);
        if (form.isPresent() && !form.get().accept(id)) {
            return Optional.of(Finish.Reason.DEAD_END);
        }
        last = System.nanoTime();
        first = first == 0 ? last : first;
        Optional<LogProbabilities> probabilities =
                raw.map(r ->
                        Sampler.logProbabilities(
                                r,
                                engine.logSumExp(r),
                                id,
                                request.topLogProbabilities().orElse(0)));
        boolean ends =
                engine.isEnd(id) && (!request.ignoreEnd() || form.isPresent())
                        || request.stopTokens().contains(id);
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.min(limit, 2 * length));
        }
        tokens[length++] = id;
        listener.token(id, ends ? "" : stops.add(decoder.add(id), early), probabilities);
        // a value after which nothing may follow needs no token that says so
        if (ends || stops.found() || form.map(Matcher::ended).orElse(false)) {
            return Optional.of(Finish.Reason.STOP);
        }
        return length == limit ? Optional.of(Finish.Reason.LENGTH) : Optional.empty();
    }

    /// Takes away the tokens that would end the answer: from the mask of a form, if it has others,
    /// else from the logits.
    private Optional<long[]> withoutEnds(
            Optional<long[]> mask, float[] logits, int at, int vocabulary, Engine engine) {
        Set<Integer> ends = new HashSet<>(request.stopTokens());
        if (!request.ignoreEnd() || form.isPresent()) {
            ends.addAll(engine.ends());
        }
        ends.removeIf(id -> id < 0 || id >= vocabulary);
        if (mask.isEmpty()) {
            ends.forEach(id -> logits[at + id] = Float.NEGATIVE_INFINITY);
            return mask;
        }
        long[] others = mask.get().clone();
        ends.forEach(id -> others[id >> 6] &= ~(1L << id));
        return Arrays.stream(others).allMatch(word -> word == 0) ? mask : Optional.of(others);
    }

    void finish(Finish.Reason reason) {
        boolean early = made() <= request.minNewTokens();
        String rest = stops.found() ? "" : stops.add(decoder.finish(), early) + stops.finish();
        long end = System.nanoTime();
        long start = admitted == 0 ? end : admitted;
        Finish finish =
                new Finish(
                        reason,
                        request.prompt().length,
                        cached,
                        made(),
                        (start - arrived) / 1e9,
                        first == 0 ? 0 : (first - start) / 1e9,
                        first == 0 ? 0 : (last - first) / 1e9,
                        draft.proposed(),
                        draft.accepted());
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
