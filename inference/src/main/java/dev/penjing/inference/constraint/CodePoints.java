package dev.penjing.inference.constraint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// A set of characters (Unicode scalar values), and how a JSON string writes them.
///
/// @param bits is not to be changed
record CodePoints(BitSet bits) {
    private static final int LAST = 0x10ffff;
    private static final String SHORT = "\b\t\n\f\r\"\\";
    private static final String LETTERS = "btnfr\"\\";

    static CodePoints range(int from, int to) {
        BitSet bits = new BitSet();
        bits.set(from, to + 1);
        return new CodePoints(bits);
    }

    static CodePoints of(String characters) {
        BitSet bits = new BitSet();
        characters.codePoints().forEach(bits::set);
        return new CodePoints(bits);
    }

    CodePoints or(CodePoints other) {
        BitSet both = (BitSet) bits.clone();
        both.or(other.bits);
        return new CodePoints(both);
    }

    CodePoints minus(CodePoints other) {
        BitSet rest = (BitSet) bits.clone();
        rest.andNot(other.bits);
        return new CodePoints(rest);
    }

    CodePoints not() {
        BitSet others = (BitSet) bits.clone();
        others.flip(0, LAST + 1);
        return new CodePoints(others);
    }

    /// One of the characters as it stands in a JSON string: as itself, or with a backslash where it
    /// must be.
    Expr inString() {
        List<Expr> options = new ArrayList<>();
        for (int c = bits.nextSetBit(0); c >= 0 && c <= '\\'; c = bits.nextSetBit(c + 1)) {
            int at = SHORT.indexOf(c);
            if (at >= 0) {
                options.add(Expr.text("\\" + LETTERS.charAt(at)));
            } else if (c < ' ') {
                options.add(Expr.text("\\u%04x".formatted(c)));
            }
        }
        BitSet plain = (BitSet) bits.clone();
        plain.clear(0, ' ');
        plain.clear('"');
        plain.clear('\\');
        options.add(new CodePoints(plain).plain());
        return new Expr.Or(options);
    }

    /// One of the characters in UTF-8.
    Expr plain() {
        BitSet scalars = (BitSet) bits.clone();
        scalars.clear(Character.MIN_SURROGATE, Character.MAX_SURROGATE + 1);
        List<Expr> options = new ArrayList<>();
        ByteSet single = new ByteSet(0, 0, 0, 0);
        for (int from = scalars.nextSetBit(0); from >= 0; from = scalars.nextSetBit(from)) {
            int end = scalars.nextClearBit(from);
            if (from < 0x80) {
                single = single.or(ByteSet.range(from, Math.min(end - 1, 0x7f)));
            }
            if (end > 0x80) {
                encode(Math.max(from, 0x80), end - 1, options);
            }
            from = end;
        }
        if (!single.isEmpty()) {
            options.addFirst(new Expr.Bytes(single));
        }
        return new Expr.Or(options);
    }

    /// Splits a range until the bytes of its characters are independent of each other.
    private static void encode(int from, int to, List<Expr> options) {
        for (int border : new int[] {0x7ff, 0xffff}) {
            if (from <= border && border < to) {
                encode(from, border, options);
                encode(border + 1, to, options);
                return;
            }
        }
        for (int shift = 6; shift <= 18; shift += 6) {
            int low = (1 << shift) - 1;
            if ((from & ~low) == (to & ~low)) {
                break;
            }
            if ((from & low) != 0) {
                encode(from, from | low, options);
                encode((from | low) + 1, to, options);
                return;
            }
            if ((to & low) != low) {
                encode(from, (to & ~low) - 1, options);
                encode(to & ~low, to, options);
                return;
            }
        }
        byte[] first = Character.toString(from).getBytes(StandardCharsets.UTF_8);
        byte[] last = Character.toString(to).getBytes(StandardCharsets.UTF_8);
        List<Expr> parts = new ArrayList<>();
        for (int i = 0; i < first.length; i++) {
            parts.add(Expr.range(first[i] & 0xff, last[i] & 0xff));
        }
        options.add(new Expr.Then(parts));
    }
}
