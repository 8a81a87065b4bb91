package dev.penjing.model;

import java.util.ArrayDeque;

/// Closes what a constructor has opened, the last one first, unless the constructor came to its
/// end:
///
/// ```java
/// try (Closer closer = new Closer()) {
///     a = closer.own(new A(), A::close);
///     b = closer.own(new B(a), B::close); // if this throws, a is closed
///     closer.keep();
/// }
/// ```
public final class Closer implements AutoCloseable {
    /// Closes something, without a checked exception.
    @FunctionalInterface
    public interface Closing<T> {
        void close(T opened);
    }

    private final ArrayDeque<Runnable> owned = new ArrayDeque<>();

    /// Takes what is to be closed.
    ///
    /// @return the same
    public <T> T own(T opened, Closing<? super T> closing) {
        owned.push(() -> closing.close(opened));
        return opened;
    }

    /// From here on, somebody else closes it all.
    public void keep() {
        owned.clear();
    }

    /// Closes everything, whatever fails on the way.
    @Override
    public void close() {
        Runnable next = owned.poll();
        if (next != null) {
            try {
                next.run();
            } finally {
                close();
            }
        }
    }
}
