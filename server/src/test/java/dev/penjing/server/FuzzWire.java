package dev.penjing.server;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/// What is sent over a connection, drawn at random: from good requests to what is no HTTP at all.
final class FuzzWire {
    /// How the client behaves.
    enum Manner {
        /// Sends all and reads to the end.
        PLAIN,
        /// Sends in pieces, with pauses.
        SLOW,
        /// Says that it sends no more.
        HALF_CLOSED,
        /// Leaves without reading.
        LEAVES,
        /// Leaves with a reset, in the middle of an answer.
        RESETS
    }

    /// @param answers that have to come, all of them whole; -1 if there may be fewer, or none
    /// @param bodies whether answers have any
    record Sent(String kind, byte[] bytes, Manner manner, int answers, boolean bodies) {
        @Override
        public String toString() {
            String text =
                    new String(bytes, 0, Math.min(bytes.length, 3000), StandardCharsets.ISO_8859_1);
            StringBuilder shown = new StringBuilder();
            text.chars()
                    .forEach(c ->
                            shown.append(
                                    c >= 32 && c < 127
                                            ? Character.toString(c)
                                            : "\\x%02x".formatted(c)));
            return "%s, %s, %d bytes: %s".formatted(kind, manner, bytes.length, shown);
        }
    }

    private static final String CLOSE = "Connection: close\r\n";
    private static final List<String> PAGES =
            List.of(
                    "/",
                    "/docs",
                    "/openapi.json",
                    "/playground/app.js",
                    "/playground/info",
                    "/v1/models",
                    "/v1/models/teacher",
                    "/v1/health/live",
                    "/v1/health/ready",
                    "/v1/metadata",
                    "/v1/manifest",
                    "/v1/version",
                    "/v1/license",
                    "/v1/metrics");
    private static final List<String> PATHS =
            List.of(
                    "/v1/models/%00",
                    "/v1/models/%zz",
                    "/v1/models/%ff%fe",
                    "/v1/responses/resp_1",
                    "/v1/responses/%F0%9F%AA%81",
                    "/playground/report?model=%00",
                    "/playground/report?model",
                    "/playground/report?model=teacher&model=x",
                    "/playground/..%2f..%2fpom.xml",
                    "/docs/x.css%0d%0a",
                    "*",
                    "//",
                    "http://localhost/v1/models",
                    "/v1/chat/completions",
                    "/nothing?a=%",
                    "/?;#&==",
                    "/v1/models?" + "a=b&".repeat(100),
                    "/" + "a".repeat(9000),
                    "/é",
                    "/\u0000",
                    "",
                    "/v1//models");
    private static final List<String> METHODS =
            List.of(
                    "GET",
                    "POST",
                    "PUT",
                    "DELETE",
                    "OPTIONS",
                    "TRACE",
                    "CONNECT",
                    "PATCH",
                    "get",
                    "G\u0000T",
                    "PRI",
                    "");
    private static final List<String> VERSIONS =
            List.of("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", "http/1.1", "", "HTTP/1.1 x");
    private static final List<String> HEADERS =
            List.of(
                    "Host: a, b",
                    "Host:",
                    "Host: [::1",
                    "X",
                    ": x",
                    " folded: x",
                    "X: a\r\n b",
                    "X-Y: \u0000",
                    "X-Y: \u0001\u007f",
                    "X: " + "y".repeat(5000),
                    "Content-Length: 5, 5",
                    "Content-Length: +5",
                    "Content-Length: 5\r\nContent-Length: 6",
                    "Content-Length: 0x5",
                    "Content-Length: 99999999999999999999",
                    "Content-Length: -7",
                    "Content-Length:",
                    "Transfer-Encoding: gzip",
                    "Transfer-Encoding: chunked, chunked",
                    "Transfer-Encoding: chunked\r\nContent-Length: 3",
                    "Transfer-Encoding: identity",
                    "Expect: 100-continue",
                    "Expect: tea",
                    "Upgrade: h2c\r\nConnection: Upgrade\r\nHTTP2-Settings: AAMAAABk",
                    "Upgrade: websocket\r\nConnection: Upgrade",
                    "Connection: close, x",
                    "Accept-Encoding: gzip, br",
                    "Accept: nothing",
                    "Authorization: Bearer " + "k".repeat(300),
                    "Authorization: \u00ff",
                    "Cookie: a=b; =; c",
                    "X-Request-Id: \u00e9",
                    "traceparent: 00-x-y-z",
                    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                    "Origin: null",
                    "Range: bytes=9-1",
                    "If-None-Match: *",
                    "Content-Type: application/json; charset=latin-1",
                    "Content-Type: text/plain",
                    "Content-Type: ;;;",
                    "X: a\nY: b",
                    "X\u0000: y",
                    "Transfer-Encoding : chunked");

    private final Random random;
    private final FuzzBodies bodies;

    FuzzWire(Random random) {
        this.random = random;
        this.bodies = new FuzzBodies(random);
    }

    /// The next thing to send.
    Sent next() {
        return switch (random.nextInt(20)) {
            case 0, 1, 2, 3, 4, 5, 6, 7 -> changed();
            case 8 -> pipelined();
            case 9 -> page();
            case 10, 11 -> headers();
            case 12 -> line();
            case 13, 14 -> lying();
            case 15, 16 -> brokenChunks();
            case 17 -> leaving();
            case 18 -> noise();
            default -> large();
        };
    }

    private Manner manner() {
        return switch (random.nextInt(12)) {
            case 0 -> Manner.SLOW;
            case 1 -> Manner.HALF_CLOSED;
            default -> Manner.PLAIN;
        };
    }

    /// Good HTTP with a body that is good or nearly so: it has to be answered.
    private Sent changed() {
        String endpoint = bodies.one(FuzzBodies.ENDPOINTS);
        byte[] body = bodies.changed(endpoint);
        Manner manner = random.nextInt(10) == 0 ? Manner.SLOW : Manner.PLAIN;
        return new Sent("changed body", request(endpoint, body, CLOSE), manner, 1, true);
    }

    private byte[] request(String endpoint, byte[] body, String more) {
        if (random.nextInt(4) == 0) {
            return FuzzBodies.joined(
                    ascii(head(endpoint, "Transfer-Encoding: chunked\r\n" + more)), chunks(body));
        }
        return FuzzBodies.joined(
                ascii(head(endpoint, "Content-Length: " + body.length + "\r\n" + more)), body);
    }

    private static String head(String endpoint, String more) {
        return "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s\r\n"
                .formatted(endpoint, more);
    }

    private byte[] chunks(byte[] body) {
        byte[] all = new byte[0];
        for (int at = 0; at < body.length; ) {
            int size = Math.min(body.length - at, 1 + random.nextInt(800));
            byte[] part = java.util.Arrays.copyOfRange(body, at, at + size);
            String line = Integer.toHexString(size) + "\r\n";
            all = FuzzBodies.joined(all, FuzzBodies.joined(ascii(line), part));
            all = FuzzBodies.joined(all, ascii("\r\n"));
            at += size;
        }
        return FuzzBodies.joined(all, ascii("0\r\n\r\n"));
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /// Several requests at once: answers in their order.
    private Sent pipelined() {
        int count = 2 + random.nextInt(4);
        byte[] all = new byte[0];
        for (int i = 1; i <= count; i++) {
            String more = i == count ? CLOSE : "";
            if (random.nextBoolean()) {
                String page = bodies.one(PAGES);
                all =
                        FuzzBodies.joined(
                                all,
                                ascii(
                                        "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n"
                                                .formatted(page, more)));
            } else {
                String endpoint = bodies.one(FuzzBodies.ENDPOINTS);
                byte[] body =
                        random.nextBoolean()
                                ? bodies.changed(endpoint)
                                : bodies.good(endpoint).getBytes(StandardCharsets.UTF_8);
                all = FuzzBodies.joined(all, request(endpoint, body, more));
            }
        }
        return new Sent("pipelined", all, Manner.PLAIN, count, true);
    }

    private Sent page() {
        String method = random.nextInt(3) == 0 ? "HEAD" : "GET";
        String request =
                "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n".formatted(method, bodies.one(PAGES), CLOSE);
        return new Sent("page", ascii(request), Manner.PLAIN, 1, method.equals("GET"));
    }

    private Sent headers() {
        StringBuilder request = new StringBuilder();
        String page = random.nextBoolean() ? bodies.one(PAGES) : "/v1/chat/completions";
        request.append(random.nextBoolean() ? "GET " : "POST ")
                .append(page)
                .append(" HTTP/1.1\r\nHost: a\r\n");
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            request.append(bodies.one(HEADERS)).append("\r\n");
        }
        request.append(random.nextBoolean() ? CLOSE : "").append("\r\n");
        request.append(random.nextBoolean() ? bodies.good("/v1/chat/completions") : "");
        return new Sent("headers", ascii(request.toString()), manner(), -1, true);
    }

    private Sent line() {
        String line =
                "%s %s %s"
                        .formatted(
                                bodies.one(METHODS),
                                bodies.one(PATHS),
                                random.nextBoolean() ? "HTTP/1.1" : bodies.one(VERSIONS));
        String end = random.nextInt(8) == 0 ? "\n" : "\r\n";
        return new Sent(
                "request line",
                ascii(line + end + "Host: a" + end + "Connection: close" + end + end),
                manner(),
                -1,
                true);
    }

    /// A length that is not the body's.
    private Sent lying() {
        String endpoint = bodies.one(FuzzBodies.ENDPOINTS);
        byte[] body = bodies.good(endpoint).getBytes(StandardCharsets.UTF_8);
        int length = Math.max(0, body.length + random.nextInt(-40, 41));
        String head =
                head(
                        endpoint,
                        "Content-Length: " + length + "\r\n" + (random.nextBoolean() ? CLOSE : ""));
        return new Sent("length", FuzzBodies.joined(ascii(head), body), manner(), -1, true);
    }

    private Sent brokenChunks() {
        String endpoint = bodies.one(FuzzBodies.ENDPOINTS);
        String good = bodies.good(endpoint);
        String whole = "%x\r\n%s\r\n0\r\n\r\n".formatted(good.length(), good);
        String broken =
                switch (random.nextInt(10)) {
                    case 0 -> "-5\r\n" + whole;
                    case 1 -> "ffffffffffffffffff\r\n" + whole;
                    case 2 -> "7fffffff\r\n" + whole;
                    case 3 -> whole.replace("\r\n", "\n");
                    case 4 -> whole.substring(0, random.nextInt(whole.length()));
                    case 5 -> "xyz\r\n" + whole;
                    case 6 ->
                            "%x;%s\r\n%s\r\n0\r\n\r\n"
                                    .formatted(good.length(), "e".repeat(6000), good);
                    case 7 ->
                            whole.replace(
                                    "0\r\n\r\n",
                                    "0\r\nTrailer: x\r\n" + "X: y\r\n".repeat(500) + "\r\n");
                    case 8 -> "%x;a=b\r\n%s\r\n0\r\n\r\n".formatted(good.length(), good);
                    default -> "%x\r\n%sGARBAGE\r\n0\r\n\r\n".formatted(good.length(), good);
                };
        String head = head(endpoint, "Transfer-Encoding: chunked\r\n" + CLOSE);
        return new Sent("chunks", ascii(head + broken), manner(), -1, true);
    }

    /// A good request whose client does not stay.
    private Sent leaving() {
        String endpoint = bodies.one(FuzzBodies.ENDPOINTS);
        String body = bodies.good(endpoint).replaceAll("(max\\w*_tokens\": )\\d+", "$1200");
        byte[] all = request(endpoint, body.getBytes(StandardCharsets.UTF_8), "");
        byte[] sent =
                random.nextInt(3) == 0
                        ? java.util.Arrays.copyOf(all, random.nextInt(all.length))
                        : all;
        return new Sent(
                "leaving", sent, random.nextBoolean() ? Manner.LEAVES : Manner.RESETS, -1, true);
    }

    private Sent noise() {
        byte[] noise =
                switch (random.nextInt(4)) {
                    case 0 -> ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
                    // the beginning of TLS
                    case 1 ->
                            FuzzBodies.joined(
                                    new byte[] {22, 3, 1, 2, 0, 1, 0, 1, (byte) 252, 3, 3},
                                    bodies.noise(500));
                    case 2 -> ascii("\r\n".repeat(random.nextInt(2000)));
                    default -> bodies.noise(1 + random.nextInt(12_000));
                };
        return new Sent("noise", noise, manner(), -1, true);
    }

    /// Larger than a body may be, said or not.
    private Sent large() {
        byte[] body =
                ("{\"model\": \"teacher\", \"prompt\": \""
                                + "x".repeat(20_000 + random.nextInt(200_000))
                                + "\"}")
                        .getBytes(StandardCharsets.UTF_8);
        return new Sent("large", request("/v1/completions", body, ""), manner(), -1, true);
    }
}
