package dev.penjing.world;

/// An addition or a subtraction of whole numbers that comes to zero or more.
record Sum(int a, boolean plus, int b) {
    int result() {
        return plus ? a + b : a - b;
    }

    String key() {
        return "sum|" + a + (plus ? "+" : "-") + b;
    }

    static Sum drawn(Draw draw, int largest) {
        return draw.keyed(
                () -> {
                    int a = draw.between(1, largest);
                    int b = draw.between(1, largest);
                    boolean plus = draw.chance(50);
                    return plus || a >= b ? new Sum(a, plus, b) : new Sum(b, false, a);
                },
                Sum::key);
    }
}
