package dev.penjing.evaluation.code;

import dev.penjing.model.PenjingException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;

/// Runs programs in child processes, each a JVM with a Python interpreter (`penjing-sandbox`) in
/// which a program is denied everything but computing. A child is started when it is first needed,
/// serves many programs, and is replaced when one has harmed it; where it is not certain that it
/// was this one, the program gets a second run, in a child of its own. Children end with this
/// process, however it ends.
///
/// What a program computes is its own affair: one whose objects claim to be equal to everything
/// passes its tests here as in any harness that runs tests and program together.
public final class Sandbox implements CodeRunner {
    private static final int LONGEST_PROGRAM = 1 << 20;
    private static final String MAIN = "dev.penjing.sandbox.Main";

    /// A place for a child.
    private static final class Seat {
        private Optional<Child> child = Optional.empty();
    }

    private final Child.Command command;
    private final SandboxLimits limits;
    private final List<Seat> seats = new ArrayList<>();
    private final ArrayBlockingQueue<Seat> free;
    private final Thread atExit = new Thread(this::unseatAll, "sandbox-exit");
    private volatile boolean closed;

    /// @param classPath of the module `penjing-sandbox` with its libraries
    /// @param library a folder for Python's own library (25 MB), filled by the first child
    public Sandbox(String classPath, Path library, SandboxLimits limits) {
        this(Child.Command.of(classPath, MAIN, library, limits), limits);
    }

    Sandbox(Child.Command command, SandboxLimits limits) {
        this.command = command;
        this.limits = limits;
        this.free = new ArrayBlockingQueue<>(limits.children());
        for (int i = 0; i < limits.children(); i++) {
            var seat = new Seat();
            seats.add(seat);
            free.add(seat);
        }
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    @Override
    public Outcome run(String program) {
        byte[] source;
        try {
            ByteBuffer encoded =
                    StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(program));
            source = new byte[encoded.remaining()];
            encoded.get(source);
        } catch (CharacterCodingException e) {
            return Outcome.failed("the program is no valid Unicode");
        }
        if (source.length > LONGEST_PROGRAM) {
            return Outcome.failed("the program is longer than " + LONGEST_PROGRAM + " bytes");
        }
        try {
            Seat seat = free.take();
            try {
                if (closed) {
                    throw new PenjingException("the sandbox was closed");
                }
                return run(seat, source);
            } finally {
                free.add(seat);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("interrupted while a program ran", e);
        }
    }

    private Outcome run(Seat seat, byte[] source) throws InterruptedException {
        Child.End end = runOnce(seat, source);
        if (!end.certain()) {
            end = runOnce(seat, source);
        }
        return end.outcome();
    }

    private Child.End runOnce(Seat seat, byte[] source) throws InterruptedException {
        Child child = seated(seat);
        boolean sound = false;
        Child.End end;
        try {
            end = child.run(source, limits);
            sound = end.sound();
        } finally {
            if (!sound) {
                unseat(seat);
            }
        }
        if (closed) {
            throw new PenjingException("the sandbox was closed while a program ran");
        }
        return end;
    }

    private Child seated(Seat seat) throws InterruptedException {
        synchronized (seat) {
            if (seat.child.isPresent() && seat.child.get().isAlive()) {
                return seat.child.get();
            }
        }
        unseat(seat);
        Child child = Child.start(command);
        synchronized (seat) {
            seat.child = Optional.of(child);
        }
        if (closed) {
            unseat(seat);
            throw new PenjingException("the sandbox was closed");
        }
        return child;
    }

    private static void unseat(Seat seat) {
        synchronized (seat) {
            seat.child.ifPresent(Child::close);
            seat.child = Optional.empty();
        }
    }

    /// Ends the children. A program that runs meanwhile ends with an exception in its caller.
    @Override
    public void close() {
        unseatAll();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // this process ends anyway
        }
    }

    private void unseatAll() {
        closed = true;
        seats.forEach(Sandbox::unseat);
    }
}
