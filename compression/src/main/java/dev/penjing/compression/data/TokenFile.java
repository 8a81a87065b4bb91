package dev.penjing.compression.data;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.OptionalInt;
import java.util.function.BiConsumer;

/// A tokenised corpus: 32-bit little-endian token ids, memory-mapped. Documents follow one another
/// without padding, each between the [DocumentMarks] of its model.
public final class TokenFile implements AutoCloseable {
    private static final ValueLayout.OfInt ID =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Bytes that are hashed at once.
    private static final long PIECE = 1L << 20;

    private final Arena arena;
    private final MemorySegment data;

    private TokenFile(Arena arena, MemorySegment data) {
        this.arena = arena;
        this.data = data;
    }

    /// Tokenises `corpus` into `file`, which is there when it is whole. A document that itself
    /// begins with the token that documents begin with does not get a second one.
    ///
    /// @param limit stop after about this many tokens; `Long.MAX_VALUE` for all
    /// @throws PenjingException if fewer than two tokens come out
    public static void write(
            Corpus corpus,
            Tokenizer tokenizer,
            DocumentMarks marks,
            Path file,
            long limit,
            Progress progress) {
        write(
                corpus,
                file,
                progress,
                (text, out) -> {
                    if (out.tokens() >= limit) {
                        return;
                    }
                    int[] ids = tokenizer.encode(text);
                    OptionalInt begin = marks.begin();
                    if (ids.length == 0 || begin.isPresent() && begin.getAsInt() != ids[0]) {
                        out.write(begin);
                    }
                    for (int id : ids) {
                        out.write(id);
                    }
                    out.write(marks.end());
                });
    }

    /// Tokenises `corpus` as one text, cut into windows of `window` tokens, each of which begins
    /// with `begin` as every text of the model does.
    ///
    /// @throws PenjingException if fewer than two tokens come out
    public static void writeWindows(
            Corpus corpus,
            Tokenizer tokenizer,
            OptionalInt begin,
            int window,
            Path file,
            Progress progress) {
        write(
                corpus,
                file,
                progress,
                (text, out) -> {
                    for (int id : tokenizer.encode(text)) {
                        if (out.tokens() % window == 0) {
                            out.write(begin);
                        }
                        out.write(id);
                    }
                });
    }

    private static void write(
            Corpus corpus, Path file, Progress progress, BiConsumer<String, TokenWriter> document) {
        try (AtomicFile whole = AtomicFile.create(file)) {
            long count;
            try (TokenWriter out = new TokenWriter(whole)) {
                corpus.forEach(text -> {
                    document.accept(text, out);
                    progress.update("tokenise", out.tokens(), 0, "");
                });
                count = out.tokens();
            }
            if (count < 2) {
                throw new PenjingException(
                        "the text in "
                                + corpus.files()
                                + " comes to "
                                + count
                                + " tokens: there is nothing to learn from; give more `data`");
            }
            whole.commit();
        } catch (IOException | UncheckedIOException e) {
            throw new PenjingException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    /// @throws PenjingException if the file cannot be read or holds no whole ids
    public static TokenFile open(Path file) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file)) {
            if (channel.size() % Integer.BYTES != 0) {
                throw new IOException("its size is no multiple of 4");
            }
            MemorySegment data =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new TokenFile(arena, data);
        } catch (IOException e) {
            arena.close();
            throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /// Tokens `from` to `to` as a corpus of their own, sharing this one's mapping.
    public TokenFile part(long from, long to) {
        return new TokenFile(
                arena, data.asSlice(from * Integer.BYTES, (to - from) * Integer.BYTES));
    }

    /// Tokens in the file.
    public long size() {
        return data.byteSize() / Integer.BYTES;
    }

    /// SHA-256 of the ids, in hex: two texts of the same ids are the same to a model.
    public String sha256() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (long at = 0; at < data.byteSize(); at += PIECE) {
                long count = Math.min(PIECE, data.byteSize() - at);
                digest.update(data.asSlice(at, count).asByteBuffer());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    public int get(long index) {
        return data.getAtIndex(ID, index);
    }

    /// `count` ids from `start`.
    public int[] slice(long start, int count) {
        int[] ids = new int[count];
        MemorySegment.copy(data, ID, start * Integer.BYTES, ids, 0, count);
        return ids;
    }

    @Override
    public void close() {
        arena.close();
    }
}
