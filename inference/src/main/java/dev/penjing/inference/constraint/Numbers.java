package dev.penjing.inference.constraint;

import static dev.penjing.inference.constraint.Expr.or;
import static dev.penjing.inference.constraint.Expr.range;
import static dev.penjing.inference.constraint.Expr.repeat;
import static dev.penjing.inference.constraint.Expr.text;
import static dev.penjing.inference.constraint.Expr.then;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Numbers between bounds, and multiples, by their digits.
final class Numbers {
    /// The largest whole number that is written.
    static final BigInteger LARGEST =
            BigInteger.TEN.pow(JsonParts.MOST_DIGITS).subtract(BigInteger.ONE);

    private static final Expr ZEROS = then(text("."), repeat(text("0"), 1, JsonParts.MOST_DIGITS));

    private static final Expr OPTIONAL_FRACTION = Expr.optional(JsonParts.FRACTION);

    private static final Expr UNSIGNED = then(JsonParts.NATURAL, OPTIONAL_FRACTION);

    /// Digits that are not all 0.
    private static final Expr POSITIVE_DIGITS =
            then(
                    repeat(text("0"), 0, JsonParts.MOST_DIGITS - 1),
                    range('1', '9'),
                    repeat(JsonParts.DIGIT, 0, JsonParts.MOST_DIGITS));

    /// A fraction that is not 0.
    private static final Expr POSITIVE = then(text("."), POSITIVE_DIGITS);

    /// Remainders that an automaton of multiples keeps apart.
    private static final int MOST_REMAINDERS = 2000;

    private Numbers() {}

    /// Whole numbers from `low` to `high`, both included.
    static Expr integers(BigInteger low, BigInteger high) {
        List<Expr> options = new ArrayList<>();
        naturals(low.max(BigInteger.ZERO), high.min(LARGEST), options);
        List<Expr> negative = new ArrayList<>();
        naturals(high.negate().max(BigInteger.ONE), low.negate().min(LARGEST), negative);
        options.add(then(text("-"), new Expr.Or(negative)));
        return new Expr.Or(options);
    }

    /// Numbers from `low` to `high`, with a fraction or without, no exponent.
    ///
    /// @param openLow whether `low` itself is left out
    static Expr decimals(BigInteger low, boolean openLow, BigInteger high, boolean openHigh) {
        // 0 has no sign
        boolean open = openHigh || high.signum() >= 0;
        BigInteger least = high.negate().max(BigInteger.ZERO);
        return or(
                magnitudes(low, openLow, high, openHigh),
                then(text("-"), magnitudes(least, open, low.negate(), openLow)));
    }

    /// Numbers from `low` on, which may have a fraction; no exponent.
    ///
    /// @param open whether `low` itself is left out
    static Expr from(BigDecimal low, boolean open) {
        return low.signum() >= 0
                ? magnitudesFrom(low, open)
                : or(UNSIGNED, then(text("-"), magnitudesTo(low.negate(), open)));
    }

    /// Numbers up to `high`, as above.
    static Expr to(BigDecimal high, boolean open) {
        // 0 has a sign or none
        return high.signum() < 0 || high.signum() == 0 && open
                ? then(text("-"), magnitudesFrom(high.negate(), open))
                : or(then(text("-"), UNSIGNED), magnitudesTo(high, open));
    }

    private static Expr magnitudesFrom(BigDecimal low, boolean open) {
        BigInteger whole = low.toBigInteger();
        String digits = digits(low);
        List<Expr> fractions = new ArrayList<>();
        for (int i = 0; i < digits.length(); i++) {
            if (digits.charAt(i) < '9') {
                Expr above = range(digits.charAt(i) + 1, '9');
                fractions.add(then(text(digits.substring(0, i)), above, rest(i + 1)));
            }
        }
        Expr equal = then(text(digits), rest(digits.length()));
        fractions.add(open ? then(text(digits), POSITIVE_DIGITS) : equal);
        Expr fraction = then(text("."), new Expr.Or(fractions));
        return or(
                then(integers(whole.add(BigInteger.ONE), LARGEST), OPTIONAL_FRACTION),
                then(
                        integers(whole, whole),
                        digits.isEmpty() && !open ? Expr.optional(fraction) : fraction));
    }

    private static Expr magnitudesTo(BigDecimal high, boolean open) {
        BigInteger whole = high.toBigInteger();
        String digits = digits(high);
        List<Expr> fractions = new ArrayList<>();
        for (int i = 0; i < digits.length(); i++) {
            Expr before = text(digits.substring(0, i));
            if (i > 0) {
                fractions.add(before);
            }
            if (digits.charAt(i) > '0') {
                fractions.add(then(before, range('0', digits.charAt(i) - 1), rest(i + 1)));
            }
        }
        if (!open) {
            int left = JsonParts.MOST_DIGITS - digits.length();
            fractions.add(then(text(digits), repeat(text("0"), digits.isEmpty() ? 1 : 0, left)));
        }
        Expr fraction = then(text("."), new Expr.Or(fractions));
        boolean alone = !digits.isEmpty() || !open;
        return or(
                then(integers(BigInteger.ZERO, whole.subtract(BigInteger.ONE)), OPTIONAL_FRACTION),
                then(integers(whole, whole), alone ? Expr.optional(fraction) : fraction));
    }

    private static Expr rest(int behind) {
        return repeat(JsonParts.DIGIT, behind == 0 ? 1 : 0, JsonParts.MOST_DIGITS - behind);
    }

    /// Of a fraction, without zeros at its end.
    private static String digits(BigDecimal value) {
        String plain = value.stripTrailingZeros().toPlainString();
        return plain.contains(".") ? plain.substring(plain.indexOf('.') + 1) : "";
    }

    /// Multiples of a number, if these need no more than [#MOST_REMAINDERS].
    static Optional<Automaton> multiples(BigDecimal of) {
        BigDecimal step = of.stripTrailingZeros();
        int scale = Math.max(0, step.scale());
        BigInteger unit = step.scaleByPowerOfTen(scale).toBigInteger();
        if (unit.bitLength() > 30 || (long) unit.intValue() * (scale + 1) > MOST_REMAINDERS) {
            return Optional.empty();
        }
        int modulus = unit.intValue();
        Grammar.Builder builder = new Grammar.Builder("the JSON Schema");
        // by digits of the fraction, then by remainder
        int[][] nodes = new int[scale + 1][modulus];
        for (int[] row : nodes) {
            Arrays.setAll(row, _ -> builder.reserve());
        }
        long shift = 1;
        for (int digits = scale; digits >= 0; digits--, shift = shift * 10 % modulus) {
            for (int r = 0; r < modulus; r++) {
                List<Integer> ways = new ArrayList<>();
                if (r * shift % modulus == 0) {
                    ways.add(Grammar.RETURN);
                }
                if (digits == 0 && scale > 0) {
                    ways.add(builder.emit(text("."), digit(builder, nodes[1], r, 0)));
                }
                if (digits == 0 || digits < scale) {
                    int[] row = nodes[digits == 0 ? 0 : digits + 1];
                    ways.add(digit(builder, row, r, 0));
                }
                builder.lead(nodes[digits][r], array(ways));
            }
        }
        List<Integer> zero = new ArrayList<>(List.of(Grammar.RETURN));
        if (scale > 0) {
            zero.add(builder.emit(text("."), digit(builder, nodes[1], 0, 0)));
        }
        int first = digit(builder, nodes[0], 0, 1);
        int natural = builder.split(first, builder.emit(text("0"), builder.split(array(zero))));
        int signed = builder.emit(text("-"), natural);
        builder.define(builder.rule("#"), builder.split(natural, signed));
        return Optional.of(new Automaton(builder.build()));
    }

    /// @param least digit
    private static int digit(Grammar.Builder builder, int[] row, int remainder, int least) {
        List<Integer> ways = new ArrayList<>();
        for (int d = least; d <= 9; d++) {
            int to = (int) ((remainder * 10L + d) % row.length);
            ways.add(builder.emit(range('0' + d, '0' + d), row[to]));
        }
        return builder.split(array(ways));
    }

    private static int[] array(List<Integer> nodes) {
        return nodes.stream().mapToInt(Integer::intValue).toArray();
    }

    /// Numbers without a sign; below 0 there are none.
    private static Expr magnitudes(
            BigInteger low, boolean openLow, BigInteger high, boolean openHigh) {
        BigInteger from = low.max(BigInteger.ZERO);
        boolean open = openLow && low.signum() >= 0;
        List<Expr> options = new ArrayList<>();
        if (from.compareTo(high) > 0) {
            return Expr.NOTHING;
        }
        if (from.equals(high)) {
            return open || openHigh ? Expr.NOTHING : then(integers(high, high), zeros());
        }
        if (open) {
            options.add(then(integers(from, from), POSITIVE));
            from = from.add(BigInteger.ONE);
        }
        Expr fraction = Expr.optional(JsonParts.FRACTION);
        options.add(then(integers(from, high.subtract(BigInteger.ONE)), fraction));
        if (!openHigh) {
            options.add(then(integers(high, high), zeros()));
        }
        return new Expr.Or(options);
    }

    private static Expr zeros() {
        return Expr.optional(ZEROS);
    }

    private static void naturals(BigInteger low, BigInteger high, List<Expr> options) {
        if (low.compareTo(high) > 0) {
            return;
        }
        int last = high.toString().length();
        for (int digits = low.toString().length(); digits <= last; digits++) {
            BigInteger least = BigInteger.TEN.pow(digits - 1);
            BigInteger most = BigInteger.TEN.pow(digits).subtract(BigInteger.ONE);
            BigInteger from = digits == 1 ? low : low.max(least);
            options.add(between(from.toString(), high.min(most).toString(), 0));
        }
    }

    /// Digits from `at` on between those of two numbers of the same length.
    private static Expr between(String low, String high, int at) {
        if (at == low.length()) {
            return Expr.EMPTY;
        }
        char from = low.charAt(at);
        char to = high.charAt(at);
        int left = low.length() - at - 1;
        String zeros = "0".repeat(left);
        String nines = "9".repeat(left);
        Expr rest = repeat(JsonParts.DIGIT, left, left);
        if (low.endsWith(zeros) && high.endsWith(nines)) {
            return then(range(from, to), rest);
        }
        if (from == to) {
            return then(range(from, from), between(low, high, at + 1));
        }
        List<Expr> options = new ArrayList<>();
        options.add(then(range(from, from), between(low, "9".repeat(low.length()), at + 1)));
        if (to - from > 1) {
            options.add(then(range(from + 1, to - 1), rest));
        }
        options.add(then(range(to, to), between("0".repeat(low.length()), high, at + 1)));
        return new Expr.Or(options);
    }
}
