package dev.penjing.model.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;

/// A body that fails when nothing arrives for too long: the HTTP client's own timeout ends with the
/// headers, and a connection that died silently would be waited for without end.
final class StalledStreamGuard implements AutoCloseable {
    private final InputStream in;
    private final Duration silence;
    private final Thread watch;
    private volatile long last = System.nanoTime();
    private volatile boolean stalled;

    StalledStreamGuard(InputStream in, Duration silence) {
        this.in = in;
        this.silence = silence;
        this.watch = Thread.startVirtualThread(this::watch);
    }

    private void watch() {
        try {
            long left = silence.toNanos();
            while (left > 0) {
                Thread.sleep(Duration.ofNanos(left));
                left = silence.toNanos() - (System.nanoTime() - last);
            }
            stalled = true;
            in.close(); // wakes the reader
        } catch (InterruptedException e) {
            // closed: nothing to watch any more
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// At least one byte into `buffer`, at most `most`.
    ///
    /// @throws RetryPolicy.NetworkException if the body ends, breaks or stalls
    int read(byte[] buffer, int most) throws RetryPolicy.NetworkException {
        int n;
        try {
            n = in.read(buffer, 0, most);
        } catch (IOException e) {
            throw stalled ? stalled() : RetryPolicy.NetworkException.of(e);
        }
        if (n < 0) {
            throw stalled
                    ? stalled()
                    : new RetryPolicy.NetworkException("the connection ended too early");
        }
        last = System.nanoTime();
        return n;
    }

    /// All of the body, within the time that `read` may be silent.
    byte[] whole(int most) throws IOException {
        byte[] all;
        try {
            all = in.readNBytes(most + 1);
        } catch (IOException e) {
            throw stalled ? stalled() : RetryPolicy.NetworkException.of(e);
        }
        if (stalled) {
            throw stalled();
        }
        if (all.length > most) {
            throw new RetryPolicy.NetworkException("it answers with more than " + most + " bytes");
        }
        return all;
    }

    private RetryPolicy.NetworkException stalled() {
        return new RetryPolicy.NetworkException("nothing came for " + silence.toSeconds() + " s");
    }

    @Override
    public void close() {
        watch.interrupt();
        try {
            in.close();
        } catch (IOException e) {
            // a connection that is given up anyway
        }
    }
}
