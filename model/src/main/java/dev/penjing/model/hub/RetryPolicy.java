package dev.penjing.model.hub;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;

/// How often a request that failed is tried again, with exponential backoff, and how long silence
/// is put up with. `Retry-After` of a server is heeded.
///
/// @param silence how long nothing may arrive
/// @param pause before the second try; doubles from try to try
record RetryPolicy(Duration silence, Duration pause) {
    static final RetryPolicy USUAL =
            new RetryPolicy(Duration.ofSeconds(60), Duration.ofMillis(500));

    private static final int MOST_TRIES = 5;

    /// Where nobody answers at all there is little to wait for.
    private static final int MOST_TRIES_OUT_OF_REACH = 3;

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

    /// So many bytes, and a connection that broke was worth it: the count of tries starts anew.
    private static final long WORTH_IT = 1 << 20;

    /// A fault of the network or of a server that may pass.
    static final class NetworkException extends IOException {
        private static final long serialVersionUID = 1L;

        private final boolean busy;
        private final boolean outOfReach;
        private final boolean interrupted;
        private final long waitSeconds;

        NetworkException(String message) {
            this(message, new IOException(message), false, -1);
        }

        private NetworkException(String message, IOException e, boolean busy, long waitSeconds) {
            super(message, e);
            this.busy = busy;
            this.outOfReach = HubTransfer.isOutOfReach(e);
            this.interrupted = e.getCause() instanceof InterruptedException;
            this.waitSeconds = waitSeconds;
        }

        static NetworkException of(IOException e) {
            if (e instanceof NetworkException known) {
                return known;
            }
            // the HTTP client says nothing of a refused connection, and of a broken one "closed"
            IOException told = e.getCause() instanceof IOException cause ? cause : e;
            String said = Optional.ofNullable(told.getMessage()).orElse("no connection");
            return new NetworkException(said.strip().lines().findFirst().orElse(""), e, false, -1);
        }

        /// @param response 429, 408 or 5xx
        static NetworkException busy(HttpResponse<?> response) {
            String message = response.uri().getHost() + " answered " + response.statusCode();
            long wait =
                    response.headers()
                            .firstValue("Retry-After")
                            .filter(s -> s.matches("\\d{1,9}"))
                            .map(Long::parseLong)
                            .orElse(-1L);
            return new NetworkException(message, new IOException(message), true, wait);
        }
    }

    Tries tries(URI uri) {
        return new Tries(uri);
    }

    /// The tries of one request. Used by one thread.
    final class Tries {
        private final URI uri;
        private int failed;

        private Tries(URI uri) {
            this.uri = uri;
        }

        /// Waits for the next try.
        ///
        /// @throws PenjingException if there have been enough of them
        void failed(IOException e) throws InterruptedException {
            failed(e, 0);
        }

        /// @param bytes that arrived before it failed
        void failed(IOException e, long bytes) throws InterruptedException {
            NetworkException fault = NetworkException.of(e);
            if (Thread.interrupted() || fault.interrupted) {
                throw new InterruptedException(); // the HTTP client makes another exception of it
            }
            failed = bytes >= WORTH_IT ? 1 : failed + 1;
            if (failed >= (fault.outOfReach ? MOST_TRIES_OUT_OF_REACH : MOST_TRIES)) {
                throw gaveUp(fault);
            }
            Duration wait =
                    Optional.of(fault.waitSeconds)
                            .filter(s -> s >= 0)
                            .map(Duration::ofSeconds)
                            .orElse(pause.multipliedBy(1L << (failed - 1)));
            Thread.sleep(wait.compareTo(LONGEST_PAUSE) < 0 ? wait : LONGEST_PAUSE);
        }

        private PenjingException gaveUp(NetworkException fault) {
            String message;
            if (fault.busy) {
                message =
                        "%s, %d times, for %s: try again later, it goes on where it stopped"
                                .formatted(fault.getMessage(), failed, uri);
            } else if (fault.outOfReach) {
                message =
                        "cannot reach %s (%s): check the network and HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to use what is in the cache"
                                .formatted(uri.getHost(), fault.getMessage());
            } else {
                message =
                        "fetching %s failed %d times (%s): check the network and run it again, it goes on where it stopped; HF_HUB_OFFLINE=1 uses what is in the cache"
                                .formatted(uri, failed, fault.getMessage());
            }
            return new PenjingException(message, fault);
        }
    }
}
