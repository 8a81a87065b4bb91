package dev.penjing.inference.constraint;

import static dev.penjing.inference.constraint.Expr.or;
import static dev.penjing.inference.constraint.Expr.range;
import static dev.penjing.inference.constraint.Expr.repeat;
import static dev.penjing.inference.constraint.Expr.text;
import static dev.penjing.inference.constraint.Expr.then;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/// Numbers between whole bounds, by their digits.
final class Numbers {
    /// The largest whole number that is written.
    static final BigInteger LARGEST =
            BigInteger.TEN.pow(JsonParts.MOST_DIGITS).subtract(BigInteger.ONE);

    private static final Expr ZEROS = then(text("."), repeat(text("0"), 1, JsonParts.MOST_DIGITS));

    /// A fraction that is not 0.
    private static final Expr POSITIVE =
            then(
                    text("."),
                    repeat(text("0"), 0, JsonParts.MOST_DIGITS - 1),
                    range('1', '9'),
                    repeat(JsonParts.DIGIT, 0, JsonParts.MOST_DIGITS));

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
