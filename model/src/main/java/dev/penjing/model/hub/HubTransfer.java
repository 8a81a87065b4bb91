package dev.penjing.model.hub;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/// Bytes from a hub to disk: redirected, resumed, retried and verified. Thread-safe.
final class HubTransfer {
    private static final int TRIES = 5;
    private static final int REDIRECTS = 5;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final long LONGEST_WAIT_MILLIS = 30_000;

    /// Within this process; file locks hold other processes off.
    private static final Map<Path, Lock> LOCKS = new ConcurrentHashMap<>();

    /// Is told of bytes as they arrive.
    interface Bytes {
        void arrived(long bytes);
    }

    private final URI endpoint;
    private final Optional<String> token;
    private final HttpClient client =
            HttpClient.newBuilder()
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .connectTimeout(Duration.ofSeconds(20))
                    .build();

    HubTransfer(String endpoint, Optional<String> token) {
        this.endpoint = URI.create(endpoint);
        this.token = token;
    }

    /// A small answer, whole.
    HttpResponse<byte[]> get(URI uri) {
        return retrying(uri, () -> send(uri, 0, HttpResponse.BodyHandlers.ofByteArray()));
    }

    private interface Attempt<T> {
        HttpResponse<T> run() throws IOException, InterruptedException;
    }

    private <T> HttpResponse<T> retrying(URI uri, Attempt<T> attempt) {
        for (int n = 1; ; n++) {
            try {
                HttpResponse<T> response = attempt.run();
                boolean passing = response.statusCode() >= 500 || response.statusCode() == 429;
                if (!passing || n == TRIES) {
                    return response;
                }
                Thread.sleep(
                        response.headers()
                                .firstValue("Retry-After")
                                .filter(s -> s.matches("\\d{1,4}"))
                                .map(s -> Math.min(LONGEST_WAIT_MILLIS, 1000 * Long.parseLong(s)))
                                .orElse(wait(n)));
            } catch (IOException e) {
                if (n == TRIES) {
                    throw new PenjingException(
                            "cannot reach %s (%s): check the network and HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to use what is in the cache"
                                    .formatted(uri.getHost(), e.getMessage()),
                            e);
                }
                pause(wait(n));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new PenjingException("fetching " + uri + " was interrupted", e);
            }
        }
    }

    private static long wait(int attempt) {
        return 100L << attempt;
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("fetching was interrupted", e);
        }
    }

    /// Follows redirects by hand: the token goes to the hub alone.
    private <T> HttpResponse<T> send(URI uri, long from, HttpResponse.BodyHandler<T> body)
            throws IOException, InterruptedException {
        URI at = uri;
        for (int i = 0; i <= REDIRECTS; i++) {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(at).timeout(TIMEOUT).header("User-Agent", "penjing");
            if (sameHost(at)) {
                token.ifPresent(t -> request.header("Authorization", "Bearer " + t));
            }
            if (from > 0) {
                request.header("Range", "bytes=" + from + "-");
            }
            HttpResponse<T> response = client.send(request.build(), body);
            Optional<String> location = response.headers().firstValue("Location");
            if (response.statusCode() / 100 != 3 || location.isEmpty()) {
                return response;
            }
            at = at.resolve(location.get());
        }
        throw new IOException("too many redirects");
    }

    private boolean sameHost(URI uri) {
        return endpoint.getScheme().equals(uri.getScheme())
                && endpoint.getAuthority().equals(uri.getAuthority());
    }

    /// Makes `blob` hold the file, from where an earlier try stopped. Only one process at a time
    /// fetches a blob.
    void fetch(URI uri, Hub.Entry entry, Path blob, Path locks, Bytes count) throws IOException {
        Path incomplete = blob.resolveSibling(blob.getFileName() + ".incomplete");
        // the hub's own clients lock in the same place
        Path lockFile = locks.resolve(blob.getFileName() + ".lock").toAbsolutePath().normalize();
        Files.createDirectories(locks);
        Lock here = LOCKS.computeIfAbsent(lockFile, p -> new ReentrantLock());
        here.lock();
        try (FileChannel channel =
                        FileChannel.open(
                                lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            fetchLocked(uri, entry, blob, incomplete, count);
        } finally {
            here.unlock();
        }
    }

    private void fetchLocked(URI uri, Hub.Entry entry, Path blob, Path incomplete, Bytes count)
            throws IOException {
        if (Files.exists(blob)) {
            count.arrived(entry.size());
            return;
        }
        long have = Files.exists(incomplete) ? Files.size(incomplete) : 0;
        count.arrived(Math.min(have, entry.size()));
        for (int n = 1; have < entry.size(); n++) {
            download(uri, incomplete, have, entry, count);
            have = Files.size(incomplete);
            if (have < entry.size() && n == TRIES) {
                throw new PenjingException(
                        "the connection broke %d times while fetching %s: run it again, it goes on from byte %,d"
                                .formatted(TRIES, entry.path(), have));
            }
        }
        verify(incomplete, entry);
        Files.move(incomplete, blob, StandardCopyOption.ATOMIC_MOVE);
    }

    private void download(URI uri, Path incomplete, long from, Hub.Entry entry, Bytes count)
            throws IOException {
        HttpResponse<InputStream> response =
                retrying(uri, () -> send(uri, from, HttpResponse.BodyHandlers.ofInputStream()));
        boolean resumed = response.statusCode() == 206;
        try (InputStream in = response.body()) {
            if (response.statusCode() != 200 && !resumed) {
                throw new PenjingException(
                        "the hub answered %d for %s: set HF_TOKEN if it is gated, or try again later"
                                .formatted(response.statusCode(), entry.path()));
            }
            try (OutputStream out =
                    Files.newOutputStream(
                            incomplete,
                            StandardOpenOption.CREATE,
                            resumed
                                    ? StandardOpenOption.APPEND
                                    : StandardOpenOption.TRUNCATE_EXISTING)) {
                copy(in, out, entry.size() - (resumed ? from : 0), count);
            }
        }
    }

    /// At most `limit` bytes; a connection that breaks ends the copy, what came stays.
    private static void copy(InputStream in, OutputStream out, long limit, Bytes count)
            throws IOException {
        byte[] buffer = new byte[1 << 16];
        long left = limit;
        while (left > 0) {
            int n;
            try {
                n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            } catch (IOException broken) {
                return;
            }
            if (n < 0) {
                return;
            }
            out.write(buffer, 0, n);
            left -= n;
            count.arrived(n);
        }
    }

    private static void verify(Path file, Hub.Entry entry) throws IOException {
        MessageDigest digest = digest(entry.large() ? "SHA-256" : "SHA-1");
        if (!entry.large()) {
            digest.update(
                    ("blob " + entry.size() + "\0")
                            .getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        byte[] buffer = new byte[1 << 20];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        String actual = HexFormat.of().formatHex(digest.digest());
        if (!actual.equals(entry.hash())) {
            Files.delete(file);
            throw new PenjingException(
                    "%s arrived damaged (hash %s, not %s): run it again"
                            .formatted(entry.path(), actual, entry.hash()));
        }
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has " + algorithm, e);
        }
    }
}
