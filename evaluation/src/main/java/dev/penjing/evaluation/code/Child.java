package dev.penjing.evaluation.code;

import dev.penjing.model.PenjingException;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A child process that runs one program after another, and the host's end of the line to it. What
/// comes over that line is believed as little as the programs are. One thread at a time may use it.
final class Child implements AutoCloseable {
    /// How a child is started.
    ///
    /// @param java the program `java`
    /// @param library where Python's own library is unpacked
    /// @param patience how long it may take until it is ready
    record Command(
            String java,
            String classPath,
            String main,
            Path library,
            int heapMegabytes,
            Duration patience) {
        /// A child of the JDK that runs this.
        static Command of(String classPath, String main, Path library, SandboxLimits limits) {
            return new Command(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    classPath,
                    main,
                    library,
                    limits.heapMegabytes(),
                    Duration.ofSeconds(120));
        }
    }

    /// @param sound whether the child can take another program
    /// @param certain whether the outcome is the program's own doing; it may else be that of an
    ///   earlier program, or of something outside
    record End(CodeRunner.Outcome outcome, boolean sound, boolean certain) {}

    /// What the child's line brought.
    private sealed interface Message {
        record Ready() implements Message {}

        record Answer(long number, boolean passed, String reason) implements Message {}

        /// The line ended, or carried what nobody should have written.
        record Broken(String what) implements Message {}
    }

    private static final long READY = 0x50656e6a696e6732L;
    private static final int LONGEST_REASON = 4096;
    private static final int OUT_OF_MEMORY = 3;
    private static final int STDERR_KEPT = 2000;
    private static final Duration LONGEST_END = Duration.ofSeconds(10);

    private final Command command;
    private final Process process;
    private final Path directory;

    /// A child that says more than this unasked is not listened to any more.
    private final LinkedBlockingQueue<Message> messages = new LinkedBlockingQueue<>(4);

    private final StringBuffer stderr = new StringBuffer();
    private final Thread stderrReader;
    private int served;

    private Child(Command command, Process process, Path directory) {
        this.command = command;
        this.process = process;
        this.directory = directory;
        Thread.ofPlatform().daemon().name("sandbox-out").start(this::read);
        this.stderrReader =
                Thread.ofPlatform().daemon().name("sandbox-err").start(this::readErrors);
    }

    /// Starts a child and waits until it can run programs.
    ///
    /// @throws PenjingException if it cannot
    static Child start(Command command) throws InterruptedException {
        Child child;
        try {
            Files.createDirectories(command.library());
            Path directory = Files.createTempDirectory("penjing-sandbox-");
            try {
                child = new Child(command, spawn(command, directory), directory);
            } catch (IOException e) {
                Files.delete(directory);
                throw e;
            }
        } catch (IOException e) {
            throw new PenjingException("cannot start the sandbox: " + e.getMessage(), e);
        }
        boolean ready = false;
        try {
            Message first =
                    child.messages.poll(command.patience().toMillis(), TimeUnit.MILLISECONDS);
            ready = first instanceof Message.Ready;
            if (!ready) {
                String what =
                        first == null
                                ? "it was not ready after " + command.patience().toSeconds() + " s"
                                : child.lastWords(first);
                throw new PenjingException(
                        "the sandbox for Python programs does not start: "
                                + what
                                + "; build it anew with './penjing sandbox'");
            }
            return child;
        } finally {
            if (!ready) {
                child.close();
            }
        }
    }

    private static Process spawn(Command command, Path directory) throws IOException {
        var builder =
                new ProcessBuilder(
                        command.java(),
                        "-Xmx" + command.heapMegabytes() + "m",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-XX:MaxMetaspaceSize=192m",
                        "-XX:MaxDirectMemorySize=16m",
                        "-XX:ReservedCodeCacheSize=64m",
                        "-XX:+UseSerialGC",
                        // short programs: the second compiler costs more than it gains
                        "-XX:TieredStopAtLevel=1",
                        "-XX:-UsePerfData",
                        // no handlers of its own, which a program could call up
                        "-Xrs",
                        "-XX:+DisableAttachMechanism",
                        "-XX:-CreateCoredumpOnCrash",
                        "-Xshare:auto",
                        "--sun-misc-unsafe-memory-access=allow",
                        "--illegal-native-access=deny",
                        "-Dpolyglotimpl.AttachLibraryFailureAction=ignore",
                        "-Djava.io.tmpdir=" + directory,
                        "-Dpolyglot.engine.userResourceCache=" + command.library().toAbsolutePath(),
                        "-cp",
                        command.classPath(),
                        command.main(),
                        directory.toString());
        builder.directory(directory.toFile());
        builder.environment().clear();
        // so that Java reads names of files with letters beyond ASCII
        builder.environment().put("LC_ALL", "C.UTF-8");
        return builder.start();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// Runs a program. The child itself ends one that takes too long; if it does not, or not in
    /// time, the child is not sound any more.
    End run(byte[] program, SandboxLimits limits) throws InterruptedException {
        // a number that a program cannot know, so that no answer but its own is taken for its own
        long number = ThreadLocalRandom.current().nextLong();
        served++;
        long processCpu = cpuNanos();
        long start = System.nanoTime();
        Thread.ofVirtual().start(() -> send(number, program, limits));
        long mostCpu = 2 * limits.computing().toNanos() + Duration.ofSeconds(2).toNanos();
        long mostWall = limits.waiting().toNanos() + Duration.ofSeconds(2).toNanos();
        while (true) {
            Message message = messages.poll(100, TimeUnit.MILLISECONDS);
            if (message != null) {
                return end(number, message, limits, System.nanoTime() - start);
            }
            long wall = System.nanoTime() - start;
            if (wall > mostWall || cpuNanos() - processCpu > mostCpu) {
                return new End(timedOut(limits, wall), false, true);
            }
        }
    }

    private End end(long number, Message message, SandboxLimits limits, long wall)
            throws InterruptedException {
        if (!(message instanceof Message.Answer answer) || answer.number() != number) {
            String why = lastWords(message);
            return new End(CodeRunner.Outcome.failed(why), false, served == 1 || outOfMemory());
        }
        if (answer.passed()) {
            return new End(CodeRunner.Outcome.PASSED, true, true);
        }
        CodeRunner.Outcome outcome =
                answer.reason().equals("timed out")
                        ? timedOut(limits, wall)
                        : CodeRunner.Outcome.failed(answer.reason());
        return new End(outcome, true, true);
    }

    private static CodeRunner.Outcome timedOut(SandboxLimits limits, long wall) {
        Duration limit = wall < limits.waiting().toNanos() ? limits.computing() : limits.waiting();
        return CodeRunner.Outcome.failed("timed out after " + limit.toSeconds() + " s");
    }

    private void send(long number, byte[] program, SandboxLimits limits) {
        try {
            var out = new DataOutputStream(new BufferedOutputStream(process.getOutputStream()));
            out.writeLong(number);
            out.writeLong(limits.computing().toNanos());
            out.writeLong(limits.waiting().toNanos());
            out.writeInt(program.length);
            out.write(program);
            out.flush();
        } catch (IOException e) {
            // the child has ended, which the other end of the line tells better
        }
    }

    private void read() {
        try (var in = new DataInputStream(new BufferedInputStream(process.getInputStream()))) {
            if (in.readLong() != READY) {
                messages.add(new Message.Broken("it speaks another language"));
                return;
            }
            Message message = new Message.Ready();
            while (messages.offer(message)) {
                message = answer(in);
            }
        } catch (IOException e) {
            var unused = messages.offer(new Message.Broken("it ended"));
        }
    }

    private static Message answer(DataInputStream in) throws IOException {
        long number = in.readLong();
        boolean passed = in.readByte() == 1;
        int length = in.readInt();
        if (length < 0 || length > LONGEST_REASON) {
            return new Message.Broken("it speaks another language");
        }
        String reason = new String(in.readNBytes(length), StandardCharsets.UTF_8);
        return new Message.Answer(number, passed, reason);
    }

    /// Keeps the end of what the child complains about.
    private void readErrors() {
        byte[] buffer = new byte[1024];
        try (InputStream in = process.getErrorStream()) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                stderr.append(new String(buffer, 0, n, StandardCharsets.UTF_8));
                if (stderr.length() > STDERR_KEPT) {
                    stderr.delete(0, stderr.length() - STDERR_KEPT);
                }
            }
        } catch (IOException e) {
            // ended
        }
    }

    /// Why there is no answer, in a line.
    private String lastWords(Message message) throws InterruptedException {
        if (!process.waitFor(1, TimeUnit.SECONDS)) {
            return message instanceof Message.Broken broken
                    ? "the Python process does not answer: " + broken.what()
                    : "the Python process answered what it was not asked";
        }
        if (outOfMemory()) {
            return "out of memory (" + command.heapMegabytes() + " MB)";
        }
        stderrReader.join(Duration.ofSeconds(1));
        String said = stderr.toString().strip();
        return "the Python process ended with status "
                + process.exitValue()
                + (said.isEmpty() ? "" : ": " + said.lines().findFirst().orElse(""));
    }

    private boolean outOfMemory() {
        return !process.isAlive() && process.exitValue() == OUT_OF_MEMORY;
    }

    private long cpuNanos() {
        return process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
    }

    /// Ends the process at once, and removes its folder. Whoever is interrupted waits for the end
    /// all the same, and stays interrupted.
    @Override
    public void close() {
        process.destroyForcibly();
        awaitEnd();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            // an empty folder stays behind, where such things are cleared away
        }
    }

    /// A process that still writes would leave its folder behind.
    private void awaitEnd() {
        long last = System.nanoTime() + LONGEST_END.toNanos();
        boolean interrupted = false;
        boolean waited = false;
        while (!waited) {
            try {
                var unused = process.waitFor(last - System.nanoTime(), TimeUnit.NANOSECONDS);
                waited = true;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
