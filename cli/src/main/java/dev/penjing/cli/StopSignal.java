package dev.penjing.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Holds up the end that SIGTERM or Ctrl-C brings until the work at hand has come to a good end:
/// the work asks now and then whether it should, and has until shortly before the 30 seconds are
/// over that Kubernetes and systemd grant.
final class StopSignal implements AutoCloseable {
    private static final long GRACE_SECONDS = 28;

    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stop, "waits for a checkpoint");
    private volatile boolean requested;

    StopSignal() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    boolean requested() {
        return requested;
    }

    private void stop() {
        requested = true;
        try {
            boolean inTime = ended.await(GRACE_SECONDS, TimeUnit.SECONDS);
            if (!inTime) {
                System.err.println(
                        "penjing: a step takes longer than the time to stop: what was done since the last checkpoint is lost");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// The work has ended.
    @Override
    public void close() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // it is at work: this process ends
        }
    }
}
