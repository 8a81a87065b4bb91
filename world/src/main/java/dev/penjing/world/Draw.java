package dev.penjing.world;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;

/// Seeded choices on one side of the split: what is told in training, or what is held out.
///
/// A combination (two numbers of a sum; the person, thing and place of a story; a fact and the way
/// it is asked) is named by a key, and a hash of the key alone decides its side: no list is kept,
/// and training never needs to know which items will be made.
final class Draw {
    private static final int HELD_OUT_PERCENT = 12;
    private static final int TRIES = 20_000;

    private final Random random;
    private final Side side;

    /// Where combinations come from: what is told in training, or what is held out.
    enum Side {
        TRAINING,
        HELD_OUT
    }

    Draw(long seed, Side side) {
        this.random = new Random(seed);
        this.side = side;
    }

    /// Whether the combination with this key is kept out of training.
    static boolean isHeldOut(String key) {
        long hash = 0xcbf29ce484222325L;
        for (byte octet : key.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ octet) * 0x100000001b3L;
        }
        hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
        hash = (hash ^ (hash >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return Long.remainderUnsigned(hash ^ (hash >>> 33), 100) < HELD_OUT_PERCENT;
    }

    boolean allows(String key) {
        return isHeldOut(key) == (side == Side.HELD_OUT);
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    int between(int low, int high) {
        return low + random.nextInt(high - low + 1);
    }

    boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    <T> T of(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    @SafeVarargs
    final <T> T of(T first, T... rest) {
        int index = random.nextInt(rest.length + 1);
        return index == 0 ? first : rest[index - 1];
    }

    /// One of the list that is none of `taken`.
    <T> T other(List<T> list, List<T> taken) {
        return until(() -> of(list), candidate -> !taken.contains(candidate));
    }

    /// Draws until the key of what was drawn lies on this side of the split.
    <T> T keyed(Supplier<T> supplier, Function<T, String> key) {
        return until(supplier, candidate -> allows(key.apply(candidate)));
    }

    private static <T> T until(Supplier<T> supplier, java.util.function.Predicate<T> good) {
        for (int attempt = 0; attempt < TRIES; attempt++) {
            T candidate = supplier.get();
            if (good.test(candidate)) {
                return candidate;
            }
        }
        throw new IllegalStateException("no combination of this kind lies on this side");
    }

    /// `count` different ones of the list, in drawn order.
    <T> List<T> some(List<T> list, int count) {
        java.util.ArrayList<T> copy = new java.util.ArrayList<>(list);
        java.util.Collections.shuffle(copy, random);
        return List.copyOf(copy.subList(0, Math.min(count, copy.size())));
    }
}
