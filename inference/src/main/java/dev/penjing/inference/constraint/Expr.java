package dev.penjing.inference.constraint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// A regular expression on bytes that may call rules, as a tree.
sealed interface Expr {
    int UNBOUNDED = Integer.MAX_VALUE;
    Expr EMPTY = new Then(List.of());
    Expr NOTHING = new Or(List.of());

    /// One byte out of a set.
    record Bytes(ByteSet set) implements Expr {}

    /// One after the other.
    record Then(List<Expr> parts) implements Expr {}

    /// Any one; of none, nothing matches.
    record Or(List<Expr> options) implements Expr {}

    /// @param max may be `UNBOUNDED`
    record Repeat(Expr body, int min, int max) implements Expr {}

    /// Whatever a rule matches, which is never empty.
    record Call(int rule) implements Expr {}

    static Expr range(int from, int to) {
        return new Bytes(ByteSet.range(from, to));
    }

    /// One byte out of an ASCII text's.
    static Expr oneOf(String characters) {
        ByteSet set = new ByteSet(0, 0, 0, 0);
        for (int i = 0; i < characters.length(); i++) {
            set = set.or(ByteSet.range(characters.charAt(i), characters.charAt(i)));
        }
        return new Bytes(set);
    }

    static Expr text(String text) {
        List<Expr> parts = new ArrayList<>();
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            parts.add(range(octet & 0xff, octet & 0xff));
        }
        return new Then(parts);
    }

    static Expr then(Expr... parts) {
        return new Then(List.of(parts));
    }

    static Expr or(Expr... options) {
        return new Or(List.of(options));
    }

    static Expr optional(Expr body) {
        return new Repeat(body, 0, 1);
    }

    static Expr star(Expr body) {
        return new Repeat(body, 0, UNBOUNDED);
    }

    static Expr repeat(Expr body, int min, int max) {
        return new Repeat(body, min, max);
    }

    /// Whether it matches the empty text.
    default boolean nullable() {
        return switch (this) {
            case Bytes _, Call _ -> false;
            case Then t -> t.parts.stream().allMatch(Expr::nullable);
            case Or o -> o.options.stream().anyMatch(Expr::nullable);
            case Repeat r -> r.min == 0 || r.body.nullable();
        };
    }

    /// What matches the same, but for the empty text.
    default Expr nonEmpty() {
        return switch (this) {
            case Bytes _, Call _ -> this;
            case Or o -> new Or(o.options.stream().map(Expr::nonEmpty).toList());
            case Repeat r when r.max == 0 -> NOTHING;
            case Repeat r -> {
                boolean empty = r.body.nullable();
                int min = empty ? 0 : Math.max(0, r.min - 1);
                int max = r.max == UNBOUNDED ? UNBOUNDED : r.max - 1;
                Expr body = r.body.nonEmpty();
                yield then(body, new Repeat(body, min, max));
            }
            case Then t -> {
                // the first part that is not empty, and what follows it
                List<Expr> options = new ArrayList<>();
                for (int i = 0; i < t.parts.size(); i++) {
                    Expr rest = new Then(t.parts.subList(i + 1, t.parts.size()));
                    options.add(then(t.parts.get(i).nonEmpty(), rest));
                    if (!t.parts.get(i).nullable()) {
                        break;
                    }
                }
                yield new Or(options);
            }
        };
    }
}
