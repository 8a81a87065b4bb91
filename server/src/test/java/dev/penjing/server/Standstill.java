package dev.penjing.server;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// An engine that stands still between two tokens, so that nothing depends on how fast it is. An
/// answer of its own, which takes a place, makes it wait until this is closed.
final class Standstill implements AutoCloseable {
    private final int others;
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch over = new CountDownLatch(1);
    private final Generation own;

    /// @param others answers that have to run beside its own before it begins; they have come to
    ///   their first tokens at most
    Standstill(Engine engine, int others) {
        this.others = others;
        own =
                engine.submit(
                        Request.of(new int[] {0}, Integer.MAX_VALUE, Sampling.GREEDY).endless(),
                        new Listener() {
                            @Override
                            public void token(int id, String text, Optional<LogProbabilities> p) {
                                stand(engine);
                            }

                            @Override
                            public void finished(Finish finish, String rest) {}
                        });
    }

    private void stand(Engine engine) {
        if (engine.load().running() <= others) {
            return;
        }
        begun.countDown();
        try {
            over.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Waits until it stands.
    void await() throws InterruptedException {
        if (!begun.await(TestServer.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("%d others do not run".formatted(others));
        }
    }

    /// Lets it go on. Harmless the second time.
    @Override
    public void close() {
        over.countDown();
        own.cancel();
        own.awaitEnd();
    }
}
