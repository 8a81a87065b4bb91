package dev.penjing.inference.constraint;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// A constraint's masks for one answer, found one token ahead by workers, while the model computes
/// that token's logits: the thread that draws tokens never waits for a mask, and so no constraint
/// delays other answers. What is known, or takes next to nothing, is found at once.
///
/// Used by the thread that draws.
public final class GuidedDecoding {
    /// [Work] that taking a token may cost on the thread that draws: tenths of a millisecond.
    private static final long STEP_WORK = 20_000;

    private final Matcher matcher;
    private final Executor workers;
    private final Runnable found;
    private CompletableFuture<Boolean> taken = CompletableFuture.completedFuture(true);
    private CompletableFuture<long[]> mask;

    /// Whether a worker looks for the mask of where the matcher is already: somebody else may find
    /// it before.
    private boolean searching;

    /// @param matcher at the beginning of the answer. Workers use it; a copy may be made of it at
    ///   any time but while a token is pending
    /// @param found is called by a worker that has found what was missing
    public GuidedDecoding(Matcher matcher, Executor workers, Runnable found) {
        this.matcher = matcher;
        this.workers = workers;
        this.found = found;
        this.mask = CompletableFuture.completedFuture(matcher.mask());
    }

    /// Threads to find masks on, until the result is shut down: of their own, because they must not
    /// wait for the engine's, nor the engine for them.
    public static ExecutorService workers(int count) {
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(
                        count,
                        count,
                        10,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(),
                        Thread.ofPlatform().daemon().name("penjing-masks-", 1).factory());
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /// How far the answer has come.
    public Matcher matcher() {
        return matcher;
    }

    /// Whether [#mask] has an answer.
    public boolean ready() {
        if (searching && !mask.isDone()) {
            matcher.knownMask().ifPresent(mask::complete);
        }
        return mask.isDone();
    }

    /// Which tokens may come next, as [Matcher#mask].
    ///
    /// @throws dev.penjing.model.UsageException if the constraint can be read in too many ways
    public long[] mask() {
        return get(mask);
    }

    /// Takes the next token, and has the mask behind it found.
    ///
    /// @return `PENDING` if a worker looks at it: then [#taken] says it
    public Matcher.Step accept(int id) {
        Matcher.Step step = matcher.accept(id, STEP_WORK);
        searching = false;
        switch (step) {
            case REFUSED -> {}
            case TAKEN -> {
                mask = ahead();
                tell();
            }
            case PENDING -> {
                taken = CompletableFuture.supplyAsync(() -> matcher.accept(id), workers);
                mask =
                        taken.thenApplyAsync(
                                yes -> yes && !matcher.ended() ? matcher.mask() : new long[0],
                                workers);
                tell();
            }
        }
        return step;
    }

    /// What became of the last token.
    ///
    /// @throws dev.penjing.model.UsageException if the constraint can be read in too many ways
    public Matcher.Step taken() {
        if (!taken.isDone()) {
            return Matcher.Step.PENDING;
        }
        return get(taken) ? Matcher.Step.TAKEN : Matcher.Step.REFUSED;
    }

    /// Whether what has come is a whole value, and nothing may follow. Not while a token is
    /// pending.
    public boolean ended() {
        return matcher.ended();
    }

    /// The mask behind what has come.
    private CompletableFuture<long[]> ahead() {
        if (matcher.ended()) {
            return CompletableFuture.completedFuture(new long[0]);
        }
        Optional<long[]> known = matcher.knownMask();
        if (known.isPresent()) {
            return CompletableFuture.completedFuture(known.get());
        }
        searching = true;
        return CompletableFuture.supplyAsync(matcher::mask, workers);
    }

    private void tell() {
        mask.whenComplete((value, failure) -> found.run());
    }

    private static <T> T get(CompletableFuture<T> result) {
        try {
            return result.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException known) {
                throw known;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }
}
