package dev.penjing.server.observe;

import dev.penjing.inference.api.Finish;

/// A request that is being answered.
public final class RequestMetrics {
    private final ModelMetrics model;
    private final long started;

    RequestMetrics(ModelMetrics model, long started) {
        this.model = model;
        this.started = started;
    }

    /// One of its answers. To be told of tokens by one thread at a time.
    public Answer answerStarted() {
        return new Answer();
    }

    private static double seconds(long nanos) {
        return nanos / 1e9;
    }

    /// An answer that is being made.
    public final class Answer {
        private int tokens;
        private long last;
        private boolean ended;

        private Answer() {}

        /// A token came: to be called for each.
        ///
        /// @param now when, by `System.nanoTime`
        public void token(long now) {
            if (tokens == 0) {
                model.firstToken.observe(seconds(now - started));
            } else {
                model.interToken.observe(seconds(now - last));
            }
            tokens++;
            last = now;
            model.generationTokens.inc();
        }

        /// It ended; what comes after is not counted.
        public void finished(Finish finish) {
            if (ended) {
                return;
            }
            ended = true;
            model.generationTokens.inc(Math.max(0, finish.newTokens() - tokens));
            model.ended(finish, seconds(model.now() - started));
        }
    }
}
