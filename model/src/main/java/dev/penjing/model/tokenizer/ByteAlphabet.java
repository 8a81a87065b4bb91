package dev.penjing.model.tokenizer;

import dev.penjing.model.PenjingException;

/// GPT-2's way to write any byte as a printable character, in which byte-level vocabularies are
/// stored: printable Latin-1 stands for itself, the others follow from U+0100.
final class ByteAlphabet {
    private static final char[] OF_BYTE = new char[256];
    private static final short[] BYTE_OF = new short[0x144];

    static {
        java.util.Arrays.fill(BYTE_OF, (short) -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            OF_BYTE[b] = (char) (printable ? b : next++);
            BYTE_OF[OF_BYTE[b]] = (short) b;
        }
    }

    private ByteAlphabet() {}

    static char of(int octet) {
        return OF_BYTE[octet & 0xff];
    }

    /// The bytes that a token stands for, or what is wrong with it.
    static byte[] bytes(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = token.charAt(i);
            if (c >= BYTE_OF.length || BYTE_OF[c] < 0) {
                throw new PenjingException(
                        "the token '" + token + "' is not written in the byte-level alphabet");
            }
            bytes[i] = (byte) BYTE_OF[c];
        }
        return bytes;
    }
}
