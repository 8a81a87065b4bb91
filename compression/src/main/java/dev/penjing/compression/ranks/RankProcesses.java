package dev.penjing.compression.ranks;

import dev.penjing.model.PenjingException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/// The ranks of one machine as processes that end together: when one of them is lost, all are ended
/// and started again, so often at most; they go on from the last checkpoint.
///
/// A rank that ends with a status of its own, 1 or 2, has said why, and would say so again: it is
/// not started again. One that was killed or crashed (128 and above), or lost another rank
/// ([#LOST]), is.
public final class RankProcesses {
    /// The status of a rank that ends because it lost another: EX_TEMPFAIL of sysexits.h.
    public static final int LOST = 75;

    /// In the environment of each: its standard input ends when who started it is gone.
    public static final String STARTED = "PENJING_RANK_STARTED";

    /// Ranks know of a lost one in ten seconds.
    private static final long OTHERS_SECONDS = 20;

    /// What Kubernetes grants, by default, between the request to end and the end.
    private static final long GRACE_SECONDS = 30;

    /// What Gloo prints on standard output when it has connected.
    private static final String GLOO = "[Gloo] ";

    private final LocalRanks ranks;
    private final IntFunction<List<String>> command;
    private final Consumer<String> results;
    private final Consumer<String> said;
    private final List<Process> running = new ArrayList<>();
    private final List<Thread> listening = new CopyOnWriteArrayList<>();
    private boolean stopping;

    /// @param command of each rank, in an attempt that is counted from 0
    /// @param results takes what rank 0 prints on standard output
    /// @param said takes all other lines, with the rank before them
    public RankProcesses(
            LocalRanks ranks,
            IntFunction<List<String>> command,
            Consumer<String> results,
            Consumer<String> said) {
        this.ranks = ranks;
        this.command = command;
        this.results = results;
        this.said = said;
    }

    /// Runs them to their end.
    ///
    /// @param restarts how often they are started again at most
    /// @return 0, or the status of the first that failed
    /// @throws PenjingException if a process cannot be started
    public int run(int restarts) {
        Thread hook = new Thread(this::stop, "ends ranks");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            for (int attempt = 0; ; attempt++) {
                int status = attempt(attempt);
                boolean again = status == LOST || status >= 128;
                if (status == 0 || stopping() || !again || attempt == restarts) {
                    return status;
                }
                said.accept(
                        "all ranks start again from the last checkpoint (%d of %d times)"
                                .formatted(attempt + 1, restarts));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("interrupted while ranks were at work", e);
        } finally {
            end(List.copyOf(running), true);
            forget(hook);
        }
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // it is at work: this process ends
        }
    }

    private synchronized boolean stopping() {
        return stopping;
    }

    private synchronized List<Process> start(int attempt) throws IOException {
        running.clear();
        if (stopping) {
            return List.of();
        }
        LocalRanks now = ranks.withPort();
        for (int local = 0; local < ranks.count(); local++) {
            ProcessBuilder builder = new ProcessBuilder(command.apply(attempt));
            RankPlace place = now.place(local);
            builder.environment().putAll(place.environment(local));
            builder.environment().put(STARTED, "1");
            Process process = builder.start();
            running.add(process);
            pass(process.inputReader(), place.rank(), place.rank() == 0 ? results : said);
            pass(process.errorReader(), place.rank(), said);
        }
        return List.copyOf(running);
    }

    private void pass(BufferedReader reader, int rank, Consumer<String> to) {
        String prefix = to == results ? "" : "[rank %d] ".formatted(rank);
        listening.add(
                Thread.ofPlatform()
                        .daemon()
                        .name("passes on what rank " + rank + " says")
                        .start(() -> {
                            try (reader) {
                                reader.lines()
                                        .filter(line -> !line.startsWith(GLOO))
                                        .forEach(line -> to.accept(prefix + line));
                            } catch (IOException | UncheckedIOException e) {
                                to.accept(prefix + "cannot be heard any more: " + e.getMessage());
                            }
                        }));
    }

    /// Until the last words of those that have ended are passed on.
    private void hearOut() throws InterruptedException {
        for (Thread thread : listening) {
            thread.join(Duration.ofSeconds(2));
        }
        listening.clear();
    }

    /// @return 0 if all ended well; else a status that cannot be mended by a restart, if there is
    ///   one, or the first of the others
    private int attempt(int attempt) throws InterruptedException {
        List<Process> processes;
        try {
            processes = start(attempt);
        } catch (IOException e) {
            throw new PenjingException("cannot start a rank: " + e.getMessage(), e);
        }
        int first = 0;
        while (first == 0 && processes.stream().anyMatch(Process::isAlive)) {
            Thread.sleep(50);
            first = failed(processes);
        }
        first = first == 0 ? failed(processes) : first;
        if (first == 0) {
            hearOut();
            return 0;
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(OTHERS_SECONDS);
        while (System.nanoTime() < deadline && processes.stream().anyMatch(Process::isAlive)) {
            Thread.sleep(50);
        }
        List<Process> slow = processes.stream().filter(Process::isAlive).toList();
        end(slow, true);
        hearOut();
        for (int local = 0; local < processes.size(); local++) {
            Process process = processes.get(local);
            if (!slow.contains(process) && process.exitValue() >= 128) {
                said.accept(
                        "rank %d was ended by signal %d"
                                .formatted(ranks.first() + local, process.exitValue() - 128));
            }
        }
        return processes.stream()
                .filter(process -> !slow.contains(process))
                .map(Process::exitValue)
                .filter(status -> status == 1 || status == 2)
                .findFirst()
                .orElse(first);
    }

    private static int failed(List<Process> processes) {
        return processes.stream()
                .filter(process -> !process.isAlive())
                .map(Process::exitValue)
                .filter(status -> status != 0)
                .findFirst()
                .orElse(0);
    }

    /// This process was told to end: the ranks leave a checkpoint and end.
    private void stop() {
        List<Process> asked;
        synchronized (this) {
            stopping = true;
            asked = List.copyOf(running);
        }
        // Process.destroy would close their input, which means that this process is gone
        asked.forEach(process -> process.toHandle().destroy());
        end(asked, false);
        try {
            hearOut();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void end(List<Process> processes, boolean now) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(now ? 0 : GRACE_SECONDS);
        try {
            for (Process process : processes) {
                if (!process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    process.destroyForcibly().waitFor();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            processes.forEach(Process::destroyForcibly);
        }
    }
}
