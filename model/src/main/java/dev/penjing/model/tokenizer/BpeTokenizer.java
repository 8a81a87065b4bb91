package dev.penjing.model.tokenizer;

import dev.penjing.model.PenjingException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.UnaryOperator;
import tools.jackson.databind.node.ObjectNode;

/// Byte-pair encoding, on bytes (GPT-2, Llama 3, Qwen, tekken) or on characters with a fall back to
/// bytes (SentencePiece: Llama 2, Mistral).
final class BpeTokenizer implements Tokenizer {
    /// Pieces whose ids are remembered.
    private static final int CACHED = 1 << 16;

    private static final int LONGEST_CACHED = 64;

    /// @param prepended what the normalizer puts before a text, to be taken off again in decoding;
    ///   empty for none
    record Parts(
            Map<String, Integer> vocabulary,
            Merges merges,
            AddedTokens added,
            UnaryOperator<String> normalizer,
            PreTokenizer preTokenizer,
            boolean byteLevel,
            boolean wholePieces,
            OptionalInt unknown,
            boolean stripFirstSpace,
            ObjectNode json) {}

    private final Parts parts;
    private final byte[][] bytes;
    private final int[] byteIds = new int[256];
    private final PieceCache cache = new PieceCache(CACHED);

    BpeTokenizer(Parts parts) {
        this.parts = parts;
        int size = parts.added().all().stream().mapToInt(AddedTokens.Token::id).max().orElse(-1);
        for (int id : parts.vocabulary().values()) {
            size = Math.max(size, id);
        }
        bytes = new byte[size + 1][];
        Arrays.fill(bytes, new byte[0]);
        Set<String> added = new HashSet<>();
        parts.added().all().forEach(token -> added.add(token.content()));
        parts.vocabulary()
                .forEach((token, id) -> bytes[id] = bytesOf(token, added.contains(token)));
        for (AddedTokens.Token token : parts.added().all()) {
            bytes[token.id()] = token.content().getBytes(StandardCharsets.UTF_8);
        }
        for (int b = 0; b < 256; b++) {
            String written =
                    parts.byteLevel()
                            ? String.valueOf(ByteAlphabet.of(b))
                            : "<0x%02X>".formatted(b);
            byteIds[b] = parts.vocabulary().getOrDefault(written, -1);
        }
    }

    private byte[] bytesOf(String token, boolean added) {
        if (!parts.byteLevel()) {
            return token.length() == 6 && token.startsWith("<0x") && token.endsWith(">")
                    ? new byte[] {(byte) Integer.parseInt(token.substring(3, 5), 16)}
                    : token.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
        }
        return added ? token.getBytes(StandardCharsets.UTF_8) : ByteAlphabet.bytes(token);
    }

    ObjectNode json() {
        return parts.json();
    }

    @Override
    public int[] encode(String text) {
        return encode(text, UnaryOperator.identity());
    }

    @Override
    public int[] encodeMarked(String text) {
        return encode(text, SpecialTexts::unmarked);
    }

    /// @param plain takes off what kept special tokens from being found
    private int[] encode(String text, UnaryOperator<String> plain) {
        Ids ids = new Ids();
        parts.added()
                .split(
                        text,
                        new AddedTokens.Sink() {
                            @Override
                            public void text(String between, boolean first) {
                                normalize(between, first, plain, ids);
                            }

                            @Override
                            public void token(AddedTokens.Token token) {
                                ids.add(token.id());
                            }
                        });
        return ids.toArray();
    }

    private void normalize(String text, boolean begins, UnaryOperator<String> plain, Ids ids) {
        parts.added()
                .splitNormalized(
                        parts.normalizer().apply(text),
                        new AddedTokens.Sink() {
                            @Override
                            public void text(String between, boolean first) {
                                encode(plain.apply(between), begins && first, ids);
                            }

                            @Override
                            public void token(AddedTokens.Token token) {
                                ids.add(token.id());
                            }
                        });
    }

    private void encode(String text, boolean first, Ids ids) {
        for (String piece : parts.preTokenizer().split(text, first)) {
            if (piece.length() > LONGEST_CACHED) {
                ids.add(merge(piece));
                continue;
            }
            ids.add(cache.get(piece, this::merge));
        }
    }

    private int[] merge(String piece) {
        if (parts.wholePieces()) {
            Integer whole = parts.vocabulary().get(written(piece));
            if (whole != null) {
                return new int[] {whole};
            }
        }
        int[] ids = parts.byteLevel() ? bytesAsIds(piece) : charactersAsIds(piece);
        return Arrays.copyOf(ids, parts.merges().apply(ids, ids.length));
    }

    private String written(String piece) {
        if (!parts.byteLevel()) {
            return piece;
        }
        StringBuilder written = new StringBuilder();
        for (byte octet : piece.getBytes(StandardCharsets.UTF_8)) {
            written.append(ByteAlphabet.of(octet));
        }
        return written.toString();
    }

    private int[] bytesAsIds(String piece) {
        byte[] octets = piece.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[octets.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = byteIds[octets[i] & 0xff];
            if (ids[i] < 0) {
                ids[i] = unknown(piece);
            }
        }
        return ids;
    }

    private int[] charactersAsIds(String piece) {
        Ids ids = new Ids();
        for (int at = 0; at < piece.length(); ) {
            int codePoint = piece.codePointAt(at);
            String character = Character.toString(codePoint);
            Integer id = parts.vocabulary().get(character);
            if (id != null) {
                ids.add(id);
            } else if (byteIds[0] >= 0) {
                for (byte octet : character.getBytes(StandardCharsets.UTF_8)) {
                    ids.add(byteIds[octet & 0xff]);
                }
            } else {
                ids.add(unknown(character));
            }
            at += Character.charCount(codePoint);
        }
        return ids.toArray();
    }

    private int unknown(String piece) {
        return parts.unknown()
                .orElseThrow(() ->
                        new PenjingException(
                                "the tokenizer has no token for '"
                                        + piece
                                        + "' and none for what it does not know"));
    }

    @Override
    public String decode(int[] ids, boolean skipSpecial) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int id : ids) {
            if (!skipSpecial || !isSpecial(id)) {
                out.writeBytes(bytes(id));
            }
        }
        String text = out.toString(StandardCharsets.UTF_8);
        return parts.stripFirstSpace() && text.startsWith(" ") ? text.substring(1) : text;
    }

    @Override
    public byte[] bytes(int id) {
        if (id < 0 || id >= bytes.length) {
            throw new PenjingException(
                    "token id %d is outside the vocabulary of %d".formatted(id, bytes.length));
        }
        return bytes[id].clone();
    }

    @Override
    public int vocabularySize() {
        return bytes.length;
    }

    @Override
    public OptionalInt id(String token) {
        for (AddedTokens.Token added : parts.added().all()) {
            if (added.content().equals(token)) {
                return OptionalInt.of(added.id());
            }
        }
        Integer id = parts.vocabulary().get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    @Override
    public boolean isSpecial(int id) {
        return parts.added().byId(id).map(AddedTokens.Token::special).orElse(false);
    }

    /// A growing list of ids.
    private static final class Ids {
        private int[] ids = new int[64];
        private int size;

        void add(int id) {
            if (size == ids.length) {
                ids = Arrays.copyOf(ids, size * 2);
            }
            ids[size++] = id;
        }

        void add(int[] more) {
            if (size + more.length > ids.length) {
                ids = Arrays.copyOf(ids, Math.max(ids.length * 2, size + more.length));
            }
            System.arraycopy(more, 0, ids, size, more.length);
            size += more.length;
        }

        int[] toArray() {
            return Arrays.copyOf(ids, size);
        }
    }

    static List<String> tokensById(Map<String, Integer> vocabulary) {
        List<String> tokens = new ArrayList<>(vocabulary.keySet());
        tokens.sort(java.util.Comparator.comparing(vocabulary::get));
        return tokens;
    }
}
