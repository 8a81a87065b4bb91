package dev.penjing.sandbox;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.EnvironmentAccess;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.PolyglotAccess;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Source;
import org.graalvm.polyglot.io.IOAccess;

/// Runs Python programs one after the other, each in a context of its own that is denied files,
/// processes, threads, sockets, native code, Java, other languages and the environment. The engine
/// below the contexts is shared, so that Python's own library is parsed once.
final class PythonInterpreter {
    private static final String PYTHON = "python";

    /// The only limit of recursion, as this interpreter has no count of its own: some 27,000 calls.
    private static final long STACK = 128L << 20;

    private static final Source SETS = Source.create(PYTHON, SetOrder.prelude());

    private final Engine engine =
            Engine.newBuilder(PYTHON).option("engine.WarnInterpreterOnly", "false").build();
    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    /// Runs `program` until it ends, has computed for `cpuNanos`, or `wallNanos` have passed. Inner
    /// loops of the interpreter's own (the power of a large number) do not end when told to:
    /// whoever waits for this must be ready to kill the process.
    Verdict run(String program, long cpuNanos, long wallNanos) throws InterruptedException {
        Context context = closedContext();
        var verdict = new FutureTask<>(() -> evaluate(context, program));
        Thread thread = new Thread(null, verdict, "program", STACK);
        thread.setDaemon(true);
        long start = System.nanoTime();
        thread.start();
        boolean timedOut = false;
        while (!timedOut && !thread.join(Duration.ofMillis(10))) {
            timedOut =
                    threads.getThreadCpuTime(thread.threadId()) > cpuNanos
                            || System.nanoTime() - start > wallNanos;
        }
        // cancels what runs; what has ended gets no last word either (atexit, __del__)
        context.close(true);
        thread.join();
        Verdict end =
                verdict.state() == Future.State.SUCCESS
                        ? verdict.resultNow()
                        : new Verdict(false, "the interpreter failed: " + verdict.exceptionNow());
        return timedOut && !end.passed() ? new Verdict(false, "timed out") : end;
    }

    private Context closedContext() {
        return Context.newBuilder(PYTHON)
                .engine(engine)
                .allowAllAccess(false)
                .allowIO(IOAccess.NONE)
                .allowHostAccess(HostAccess.NONE)
                .allowHostClassLookup(name -> false)
                .allowHostClassLoading(false)
                .allowNativeAccess(false)
                .allowCreateProcess(false)
                .allowCreateThread(false)
                .allowInnerContextOptions(false)
                .allowPolyglotAccess(PolyglotAccess.NONE)
                .allowEnvironmentAccess(EnvironmentAccess.NONE)
                .in(InputStream.nullInputStream())
                .out(OutputStream.nullOutputStream())
                .err(OutputStream.nullOutputStream())
                .build();
    }

    private Verdict evaluate(Context context, String program) {
        String reason = "";
        try {
            // as in the benchmarks' own harnesses, which execute a program in empty globals
            context.getBindings(PYTHON).putMember("__name__", "builtins");
            Optional<String> withSets = SetOrder.rewrite(program);
            if (withSets.isPresent()) {
                context.eval(SETS);
            }
            context.eval(Source.create(PYTHON, withSets.orElse(program)));
        } catch (PolyglotException e) {
            reason = reason(e);
        } catch (StackOverflowError e) {
            reason = "RecursionError";
        } catch (RuntimeException | Error e) {
            reason = "the interpreter failed: " + e;
        }
        return new Verdict(reason.isEmpty(), reason);
    }

    private static String reason(PolyglotException e) {
        if (e.isExit()) {
            return "SystemExit";
        }
        String message = e.getMessage();
        if (message == null || message.isBlank()) {
            return "failed";
        }
        if (e.isResourceExhausted()) {
            return message.contains("Stack overflow") ? "RecursionError" : "MemoryError";
        }
        if (e.isInternalError()) {
            // a Java exception, named by its class: mostly of what a program is denied
            return "not in the sandbox: " + message.substring(message.indexOf(": ") + 1).strip();
        }
        return message;
    }
}
