package dev.penjing.server.observe;

import dev.penjing.server.settings.Settings;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.json.JsonMapper;

/// The server's log: a line each, for people or as JSON objects. Thread-safe.
///
/// Whatever a message or a field holds, it stays within its line and its field, in printable ASCII.
public final class Log {
    /// NIM's names.
    public enum Level {
        DEBUG,
        INFO,
        WARNING,
        ERROR,
        CRITICAL;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
    private static final Logger WEB_SERVER = Logger.getLogger("io.helidon");
    private static final SimpleFormatter FORMATTER = new SimpleFormatter();

    private final Level least;
    private final boolean json;
    private final PrintStream out;
    private final Clock clock;
    private final ReentrantLock lock = new ReentrantLock();

    /// @param least serious level that is written
    /// @param json one object a line
    public Log(Level least, boolean json, PrintStream out) {
        this(least, json, out, Clock.systemUTC());
    }

    Log(Level least, boolean json, PrintStream out, Clock clock) {
        this.least = least;
        this.json = json;
        this.out = out;
        this.clock = clock;
    }

    public static Log of(Settings settings, PrintStream out) {
        Level least = Level.valueOf(settings.text("log-level").toUpperCase(Locale.ROOT));
        return new Log(least, settings.flag("jsonl-logging"), out);
    }

    public boolean on(Level level) {
        return level.compareTo(least) >= 0;
    }

    public void debug(String message) {
        line(Level.DEBUG, message, Map.of());
    }

    public void info(String message) {
        line(Level.INFO, message, Map.of());
    }

    public void warning(String message) {
        line(Level.WARNING, message, Map.of());
    }

    public void error(String message) {
        line(Level.ERROR, message, Map.of());
    }

    /// With the stack trace, as a field.
    public void error(String message, Throwable cause) {
        line(Level.ERROR, message, Map.of("error", stack(cause)));
    }

    /// @param fields in their order; numbers, flags, texts
    public void line(Level level, String message, Map<String, ?> fields) {
        if (!on(level)) {
            return;
        }
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        byte[] bytes =
                (json ? object(now, level, message, fields) : text(now, level, message, fields))
                        .getBytes(StandardCharsets.UTF_8);
        lock.lock();
        try {
            out.write(bytes, 0, bytes.length);
            out.flush();
        } finally {
            lock.unlock();
        }
    }

    private static String object(Instant now, Level level, String message, Map<String, ?> fields) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("timestamp", now.toString());
        object.put("level", level.label());
        object.put("message", message);
        fields.forEach(object::putIfAbsent);
        return JSON.writeValueAsString(object) + "\n";
    }

    private static String text(Instant now, Level level, String message, Map<String, ?> fields) {
        StringBuilder line = new StringBuilder();
        line.append(now).append(' ').append(level.label()).append(' ').append(LogEscaping.line(message));
        fields.forEach((name, value) ->
                line.append(' ').append(name).append('=').append(LogEscaping.word(shown(value))));
        return line.append('\n').toString();
    }

    private static String shown(Object value) {
        return value instanceof Double d
                ? String.format(Locale.ROOT, "%.4f", d)
                : String.valueOf(value);
    }

    private static String stack(Throwable cause) {
        StringWriter text = new StringWriter();
        cause.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    /// Takes over what libraries log by `java.util.logging`: from now on it comes here, and nowhere
    /// else.
    public void takeOver() {
        Logger root = Logger.getLogger("");
        for (Handler handler : root.getHandlers()) {
            root.removeHandler(handler);
        }
        root.addHandler(new Receiver());
        root.setLevel(
                on(Level.DEBUG) ? java.util.logging.Level.FINE : java.util.logging.Level.INFO);
        // it tells of itself what the server tells better
        WEB_SERVER.setLevel(
                on(Level.DEBUG) ? java.util.logging.Level.FINE : java.util.logging.Level.WARNING);
    }

    private final class Receiver extends Handler {
        @Override
        public void publish(LogRecord entry) {
            Level level = level(entry.getLevel());
            if (!on(level)) {
                return;
            }
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("logger", String.valueOf(entry.getLoggerName()));
            if (entry.getThrown() != null) {
                fields.put("error", stack(entry.getThrown()));
            }
            line(level, FORMATTER.formatMessage(entry), fields);
        }

        private static Level level(java.util.logging.Level level) {
            int value = level.intValue();
            if (value >= java.util.logging.Level.SEVERE.intValue()) {
                return Level.ERROR;
            }
            if (value >= java.util.logging.Level.WARNING.intValue()) {
                return Level.WARNING;
            }
            return value >= java.util.logging.Level.INFO.intValue() ? Level.INFO : Level.DEBUG;
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
