package dev.penjing.model.rows;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/// A text file in UTF-8, decompressed; no more of it than is sensible.
final class TextInput implements Closeable {
    private static final int BUFFER = 1 << 16;
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    /// @param bytes the most of a whole file, decompressed
    /// @param line the most of a line of JSON Lines
    record Limits(long bytes, int line) {
        /// Four gigabytes, or what could be held in memory at all; sixteen megabytes a line.
        static Limits usual() {
            return new Limits(Math.min(4L << 30, Runtime.getRuntime().maxMemory()), 16 << 20);
        }
    }

    private final InputStream in;
    private final Limits limits;

    TextInput(Path file, Limits limits) throws IOException {
        this.limits = limits;
        InputStream plain = Compressed.open(file);
        try {
            this.in = new BufferedInputStream(new Bounded(plain, limits.bytes()), BUFFER);
            in.mark(BYTE_ORDER_MARK.length);
            if (!Arrays.equals(in.readNBytes(BYTE_ORDER_MARK.length), BYTE_ORDER_MARK)) {
                in.reset();
            }
        } catch (IOException | RuntimeException e) {
            plain.close();
            throw e;
        }
    }

    private static CharsetDecoder strict() {
        return StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
    }

    /// The first character that is no white space, if it comes soon.
    char peek() throws IOException {
        in.mark(BUFFER);
        int c = ' ';
        for (int i = 0; i < BUFFER && (c == ' ' || c == '\n' || c == '\r' || c == '\t'); i++) {
            c = in.read();
        }
        in.reset();
        return (char) Math.max(c, 0);
    }

    /// The text; fails with a `CharacterCodingException` where it is not UTF-8.
    Reader reader() {
        return new InputStreamReader(in, strict());
    }

    /// The next line, without its end; none at the end of the file.
    Optional<String> line() throws IOException {
        byte[] line = new byte[256];
        int length = 0;
        int b = in.read();
        if (b < 0) {
            return Optional.empty();
        }
        for (; b >= 0 && b != '\n'; b = in.read()) {
            if (length == limits.line()) {
                throw new Rows.BrokenException(
                        "it has a line of more than %,d bytes".formatted(limits.line()));
            }
            if (length == line.length) {
                line = Arrays.copyOf(line, 2 * length);
            }
            line[length++] = (byte) b;
        }
        return Optional.of(strict().decode(ByteBuffer.wrap(line, 0, length)).toString());
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    private static final class Bounded extends FilterInputStream {
        private final long most;
        private long left;

        Bounded(InputStream in, long most) {
            super(in);
            this.most = most;
            this.left = most;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            int n = in.read(buffer, from, length);
            left -= Math.max(n, 0);
            if (left < 0) {
                throw new Rows.BrokenException(
                        "it holds more than %,d bytes, which is more than can be kept in memory"
                                .formatted(most));
            }
            return n;
        }
    }
}
