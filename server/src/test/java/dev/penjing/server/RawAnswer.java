package dev.penjing.server;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// An answer by the bytes of a connection.
///
/// @param headers by their names in small letters
/// @param complete whether it came to its end
record RawAnswer(int status, Map<String, String> headers, String body, boolean complete) {
    /// All answers that a connection brought, one after the other; those that say to go on left
    /// out.
    ///
    /// @param bodies whether answers have any: those to HEAD have not
    /// @throws AssertionError if it is something else than answers of HTTP
    static List<RawAnswer> all(byte[] bytes, boolean bodies) {
        List<RawAnswer> answers = new ArrayList<>();
        Reading reading = new Reading(new String(bytes, StandardCharsets.ISO_8859_1));
        while (reading.at < reading.text.length()) {
            RawAnswer answer = reading.next(bodies);
            if (answer.status >= 200 || !answer.complete) {
                answers.add(answer);
            }
        }
        return answers;
    }

    boolean isError() {
        return status >= 400;
    }

    String header(String name) {
        return headers.getOrDefault(name, "");
    }

    private static final class Reading {
        private final String text;
        private int at;

        Reading(String text) {
            this.text = text;
        }

        RawAnswer next(boolean bodies) {
            int end = text.indexOf("\r\n\r\n", at);
            String head = text.substring(at, end < 0 ? text.length() : end);
            if (!head.matches("(?s)HTTP/1\\.[01] \\d{3} [^\\r]*(\\r\\n[^:\\r]+:[^\\r]*)*")) {
                if (end < 0
                        && "HTTP/1.1 ".startsWith(head.substring(0, Math.min(9, head.length())))) {
                    at = text.length();
                    return new RawAnswer(0, Map.of(), "", false);
                }
                throw new AssertionError("no answer of HTTP: " + text.substring(at));
            }
            List<String> lines = head.lines().toList();
            Map<String, String> headers = new TreeMap<>();
            for (String line : lines.subList(1, lines.size())) {
                int colon = line.indexOf(':');
                headers.put(
                        line.substring(0, colon).toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
            int status = Integer.parseInt(lines.getFirst().substring(9, 12));
            at = end < 0 ? text.length() : end + 4;
            if (end < 0 || !bodies || status < 200 || status == 204 || status == 304) {
                return new RawAnswer(status, headers, "", end >= 0);
            }
            return "chunked".equals(headers.get("transfer-encoding"))
                    ? chunked(status, headers)
                    : counted(status, headers);
        }

        private RawAnswer counted(int status, Map<String, String> headers) {
            String length = headers.get("content-length");
            int wanted = length == null ? text.length() - at : Integer.parseInt(length);
            int end = Math.min(text.length(), at + wanted);
            String body = text.substring(at, end);
            at = end;
            return new RawAnswer(status, headers, utf8(body), body.length() == wanted);
        }

        private RawAnswer chunked(int status, Map<String, String> headers) {
            StringBuilder body = new StringBuilder();
            while (true) {
                int line = text.indexOf("\r\n", at);
                if (line < 0) {
                    at = text.length();
                    return new RawAnswer(status, headers, utf8(body.toString()), false);
                }
                int size = Integer.parseInt(text.substring(at, line), 16);
                int end = Math.min(text.length(), line + 2 + size);
                body.append(text, line + 2, end);
                boolean whole = end + 2 <= text.length();
                at = whole ? end + 2 : text.length();
                if (size == 0 || !whole) {
                    return new RawAnswer(status, headers, utf8(body.toString()), whole);
                }
            }
        }

        private static String utf8(String bytes) {
            return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        }
    }
}
