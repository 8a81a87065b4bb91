package dev.penjing.cli;

import dev.penjing.model.Progress;
import java.io.OutputStream;
import java.io.PrintStream;

/// Progress on stderr: on a terminal one line that is redrawn, with a bar and the time left; in a
/// log a line now and then.
final class ConsoleProgress implements Progress {
    private static final int WIDTH = 24;
    private static final long REDRAW_NANOS = 200_000_000L;
    private static final long LOG_NANOS = 15_000_000_000L;

    private final PrintStream out;
    private final boolean terminal;
    private String stage = "";
    private long stageStart;
    private long stageFirst;
    private long lastDone;
    private long lastShown;
    private boolean open;

    ConsoleProgress() {
        this(System.err, System.console() != null && System.console().isTerminal());
    }

    ConsoleProgress(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /// Of a process that leaves it to another to speak.
    static ConsoleProgress silent() {
        return new ConsoleProgress(new PrintStream(OutputStream.nullOutputStream()), false);
    }

    @Override
    public synchronized void update(String what, long done, long total, String note) {
        long now = System.nanoTime();
        // one that begins anew is another, whatever it is called
        if (!what.equals(stage) || done < lastDone) {
            finish();
            stage = what;
            stageStart = now;
            stageFirst = done;
            lastShown = now - (terminal ? REDRAW_NANOS : 0);
        }
        lastDone = done;
        boolean last = total > 0 && done >= total;
        if (!last && now - lastShown < (terminal ? REDRAW_NANOS : LOG_NANOS)) {
            return;
        }
        lastShown = now;
        String line = line(what, done, total, note, now);
        if (terminal) {
            out.print("\r" + line + "\u001b[K");
            open = true;
        } else if (open || !last || now - stageStart > LOG_NANOS) {
            out.println(line);
        }
        out.flush();
    }

    private String line(String what, long done, long total, String note, long now) {
        if (total <= 0) {
            return "%-10s %,d  %s".formatted(what, done, note);
        }
        int filled = (int) Math.min(WIDTH, done * WIDTH / total);
        double seconds = (now - stageStart) / 1e9;
        long moved = done - stageFirst;
        String left =
                moved <= 0 || done >= total ? "" : time(seconds / moved * (total - done)) + " left";
        return "%-10s %s%s %3d %%  %s  %s"
                .formatted(
                        what,
                        "█".repeat(filled),
                        "░".repeat(WIDTH - filled),
                        done * 100 / total,
                        note,
                        left);
    }

    /// `42 s`, `3 min 05 s`, `2 h 07 min`.
    static String time(double seconds) {
        long s = Math.round(seconds);
        if (s < 60) {
            return s + " s";
        }
        return s < 3600
                ? "%d min %02d s".formatted(s / 60, s % 60)
                : "%d h %02d min".formatted(s / 3600, s / 60 % 60);
    }

    /// Says something that stays, above whatever is being drawn.
    synchronized void say(String message) {
        finish();
        out.println(message);
    }

    /// Ends the line that is being drawn.
    synchronized void finish() {
        if (open) {
            out.println();
            open = false;
        }
        stage = "";
    }
}
