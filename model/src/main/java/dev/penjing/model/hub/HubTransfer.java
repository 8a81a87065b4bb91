package dev.penjing.model.hub;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Bytes from a hub to memory or disk: redirected, resumed, retried and verified. Thread-safe.
final class HubTransfer {
    private static final int REDIRECTS = 5;
    private static final int LARGEST_PAGE = 64 << 20;
    private static final int BUFFER = 1 << 16;
    private static final Pattern NEXT = Pattern.compile("<([^>]+)>\\s*;\\s*rel=\"?next\"?");

    /// Is told of bytes as they arrive; a negative number takes back what was told.
    interface Bytes {
        void arrived(long bytes);
    }

    /// A page of the API, and where the next one is.
    record Page(byte[] body, Optional<URI> next) {}

    /// The repository is there, and has no such branch, tag or commit.
    static final class NoRevisionException extends PenjingException {
        private static final long serialVersionUID = 1L;

        NoRevisionException(String message) {
            super(message);
        }
    }

    private final HubSettings settings;
    private final HubRepository repository;
    private final RetryPolicy retries;
    private final HttpClient client;

    HubTransfer(HubSettings settings, HubRepository repository, RetryPolicy retries) {
        this.settings = settings;
        this.repository = repository;
        this.retries = retries;
        // HTTP/1.1: a connection a file, rather than one window of HTTP/2 for all of them
        this.client =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .connectTimeout(Duration.ofSeconds(20))
                        .build();
    }

    /// An answer of the API, whole; fails after `retries.silence()`, however it trickles.
    Page page(URI uri) throws InterruptedException {
        RetryPolicy.Tries tries = retries.tries(uri);
        while (true) {
            try {
                HttpResponse<InputStream> response = send(uri, 0, Optional.empty());
                try (StalledStreamGuard in =
                        new StalledStreamGuard(response.body(), retries.silence())) {
                    byte[] body = in.whole(LARGEST_PAGE);
                    return new Page(body, next(response));
                }
            } catch (IOException e) {
                tries.failed(e);
            }
        }
    }

    private static Optional<URI> next(HttpResponse<?> response) {
        return response.headers().allValues("Link").stream()
                .map(NEXT::matcher)
                .filter(Matcher::find)
                .findFirst()
                .map(m -> response.uri().resolve(m.group(1)));
    }

    /// Makes `blob` hold the file, from where an earlier try, or an earlier run, stopped.
    ///
    /// The caller holds the file's lock.
    ///
    /// @throws IOException if the disk fails; what the network does ends in a `PenjingException`
    void fetch(URI uri, HubFile file, Path incomplete, Path blob, Bytes count)
            throws IOException, InterruptedException {
        try (FileChannel out =
                FileChannel.open(
                        incomplete,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            if (out.size() > file.size()) {
                out.truncate(0);
            }
            count.arrived(out.size());
            RetryPolicy.Tries tries = retries.tries(uri);
            while (out.size() < file.size()) {
                long from = out.size();
                try {
                    append(uri, file, out, count);
                } catch (RetryPolicy.NetworkException e) {
                    tries.failed(e, out.size() - from);
                }
            }
            if (!hash(out, file).equals(file.hash())) {
                out.truncate(0);
                throw new PenjingException(
                        "%s arrived damaged (its hash is not %s): run it again"
                                .formatted(file.path(), file.hash()));
            }
        }
        AtomicFile.putInPlace(incomplete, blob);
    }

    /// One request for what is still missing.
    ///
    /// The blob's name is its hash, so the first bytes are of the same content as the rest unless
    /// the hub lies; hence no `If-Range`, whose tag at the content network is another one.
    private void append(URI uri, HubFile file, FileChannel out, Bytes count)
            throws IOException, InterruptedException {
        long from = out.size();
        HttpResponse<InputStream> response;
        try {
            response = send(uri, from, Optional.of(file));
        } catch (IOException e) {
            throw RetryPolicy.NetworkException.of(e);
        }
        try (StalledStreamGuard in = new StalledStreamGuard(response.body(), retries.silence())) {
            long at = start(response, from);
            if (at != from) {
                out.truncate(0);
                count.arrived(-from);
            }
            byte[] buffer = new byte[BUFFER];
            while (at < file.size()) {
                int n = in.read(buffer, (int) Math.min(BUFFER, file.size() - at));
                for (ByteBuffer some = ByteBuffer.wrap(buffer, 0, n); some.hasRemaining(); ) {
                    at += out.write(some, at);
                }
                count.arrived(n);
            }
        }
    }

    /// Where the body starts: a server may give the whole instead of the rest.
    private static long start(HttpResponse<?> response, long asked)
            throws RetryPolicy.NetworkException {
        if (response.statusCode() != 206) {
            return 0;
        }
        String range = response.headers().firstValue("Content-Range").orElse("none");
        if (!range.startsWith("bytes " + asked + "-")) {
            throw new RetryPolicy.NetworkException(
                    "asked for the bytes from %d on, was given the range '%s'"
                            .formatted(asked, range));
        }
        return asked;
    }

    private static String hash(FileChannel content, HubFile file) throws IOException {
        MessageDigest digest = file.digest();
        ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
        for (long at = 0; at < file.size(); ) {
            int n = content.read(buffer.clear(), at);
            if (n < 0) {
                break;
            }
            digest.update(buffer.flip());
            at += n;
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /// Sends a request and follows redirects by hand: the token goes to the hub alone.
    ///
    /// @return a 200, or a 206 if asked from further on
    private HttpResponse<InputStream> send(URI uri, long from, Optional<HubFile> file)
            throws IOException, InterruptedException {
        URI at = uri;
        for (int i = 0; i <= REDIRECTS; i++) {
            HttpResponse<InputStream> response = client.send(request(at, from), streaming());
            int status = response.statusCode();
            if (status == 200 || status == 206 && from > 0) {
                requireSame(response.headers(), file);
                return response;
            }
            response.body().close();
            if (status == 408 || status == 429 || status >= 500) {
                throw RetryPolicy.NetworkException.busy(response);
            }
            Optional<String> location = response.headers().firstValue("Location");
            if (status / 100 != 3 || location.isEmpty()) {
                if (isHub(at)) {
                    throw refused(status, response.headers(), file);
                }
                // an address that was signed for a while only: ask the hub for another
                throw new RetryPolicy.NetworkException(at.getHost() + " answered " + status);
            }
            requireSame(response.headers(), file);
            at = redirected(at, location.get());
        }
        throw new RetryPolicy.NetworkException("it redirects more than " + REDIRECTS + " times");
    }

    private static HttpResponse.BodyHandler<InputStream> streaming() {
        return HttpResponse.BodyHandlers.ofInputStream();
    }

    private HttpRequest request(URI at, long from) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(at)
                        .timeout(retries.silence())
                        .header("User-Agent", "penjing")
                        .header("Accept-Encoding", "identity");
        if (isHub(at)) {
            settings.token().ifPresent(t -> request.header("Authorization", "Bearer " + t));
        }
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        return request.build();
    }

    private URI redirected(URI from, String location) throws IOException {
        try {
            URI to = from.resolve(location);
            boolean kept =
                    "https".equals(to.getScheme()) || to.getScheme().equals(from.getScheme());
            if (kept && to.getHost() != null) {
                return to;
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw new RetryPolicy.NetworkException("it redirects to '" + location + "'");
    }

    private boolean isHub(URI uri) {
        return settings.endpoint().getScheme().equals(uri.getScheme())
                && settings.endpoint().getAuthority().equalsIgnoreCase(uri.getAuthority());
    }

    /// What the hub says of a large file as it redirects must be what its tree says.
    private static void requireSame(HttpHeaders headers, Optional<HubFile> file) {
        if (file.isEmpty()) {
            return;
        }
        String hash = file.get().hash();
        Optional<String> tag =
                headers.firstValue("X-Linked-Etag")
                        .map(s -> s.replaceFirst("^W/", "").replace("\"", ""));
        Optional<String> size = headers.firstValue("X-Linked-Size");
        if (tag.filter(t -> !t.equals(hash)).isPresent()
                || size.filter(s -> !s.equals(Long.toString(file.get().size()))).isPresent()) {
            throw new PenjingException(
                    "the hub lists %s with %d bytes and hash %s, but has %s and %s: try again later"
                            .formatted(
                                    file.get().path(),
                                    file.get().size(),
                                    hash,
                                    size.orElse("no size"),
                                    tag.orElse("no hash")));
        }
    }

    private PenjingException refused(int status, HttpHeaders headers, Optional<HubFile> file) {
        String code = headers.firstValue("X-Error-Code").orElse("");
        String page = settings.endpoint() + "/" + repository.page();
        if (code.equals("GatedRepo") || status == 403) {
            return new PenjingException(
                    "%s is gated: accept its licence at %s, and set HF_TOKEN to an access token of that account%s"
                            .formatted(
                                    repository.id(),
                                    page,
                                    settings.token().isPresent()
                                            ? " (the token that is set may not read it)"
                                            : ""));
        }
        if (status == 401) {
            return new PenjingException(
                    "the hub does not show us %s: check the spelling, set HF_TOKEN to a valid access token if it is private or gated, and accept the licence at %s if it has one"
                            .formatted(repository.id(), page));
        }
        if (status == 404) {
            if (code.equals("RevisionNotFound")) {
                return new NoRevisionException(
                        "%s has no revision '%s' on %s: check the spelling"
                                .formatted(
                                        repository.id(),
                                        repository.revision(),
                                        settings.endpoint()));
            }
            return new PenjingException(
                    "there is no %s%s at revision %s on %s: check the spelling, or set HF_TOKEN if it is private"
                            .formatted(
                                    repository.id(),
                                    file.map(f -> "/" + f.path()).orElse(""),
                                    repository.revision(),
                                    settings.endpoint()));
        }
        return new PenjingException(
                "the hub answered %d for %s: is HF_ENDPOINT a hub?".formatted(status, page));
    }

    /// Whether nobody answered at all.
    static boolean isOutOfReach(IOException e) {
        return e instanceof ConnectException
                || e instanceof HttpConnectTimeoutException
                || e.getCause() instanceof ConnectException;
    }
}
