package dev.penjing.inference.forward;

import java.util.ArrayDeque;

/// Closes what a constructor has opened, the last one first, unless the constructor came to its
/// end:
///
/// ```java
/// try (Closer closer = new Closer()) {
///     a = closer.own(new A());
///     b = closer.own(new B(a)); // if this throws, a is closed
///     closer.keep();
/// }
/// ```
public final class Closer implements AutoCloseable {
    /// Closes something, without a checked exception.
    @FunctionalInterface
    public interface Closing {
        void close();
    }

    private final ArrayDeque<Closing> owned = new ArrayDeque<>();

    /// Takes what is to be closed.
    ///
    /// @return the same
    public <T> T own(T opened, Closing closing) {
        owned.push(closing);
        return opened;
    }

    /// From here on, somebody else closes it all.
    public void keep() {
        owned.clear();
    }

    /// Closes everything, whatever fails on the way.
    @Override
    public void close() {
        Closing next = owned.poll();
        if (next != null) {
            try {
                next.close();
            } finally {
                close();
            }
        }
    }
}
