package dev.penjing.server.settings;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.server.http.Spelling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/// What `serve` was told, each value with where it came from: the command line, else the
/// environment, else the config file, else what is usual. Immutable.
public final class Settings {
    /// Where a value came from.
    public enum Source {
        COMMAND_LINE,
        ENVIRONMENT,
        FILE,
        DEFAULT
    }

    /// @param text the value in its one spelling
    /// @param origin what a person would look for: `--port`, `NIM_SERVER_PORT`, the file's name
    record Value(String text, Source source, String origin) {}

    private final Map<String, Value> values;
    private final List<String> warnings;

    private Settings(Map<String, Value> values, List<String> warnings) {
        this.values = values;
        this.warnings = List.copyOf(warnings);
    }

    /// All that can be set.
    public static List<Setting> known() {
        return KnownSettings.ALL;
    }

    /// Settings from all sources. A variable that is set to nothing counts as not set.
    ///
    /// @param commandLine by name, without dashes
    /// @param file a JSON object by name: texts, numbers, true and false, lists of texts
    /// @throws UsageException if a value is not allowed, a name is not known, or values contradict
    ///   each other
    /// @throws PenjingException if the file cannot be read
    public static Settings resolve(
            Map<String, String> commandLine, Map<String, String> environment, Optional<Path> file) {
        for (String name : commandLine.keySet()) {
            if (KnownSettings.ALL.stream().noneMatch(s -> s.name().equals(name))) {
                throw new UsageException("--" + name + " is not a setting" + hint(name, names()));
            }
        }
        Map<String, String> filed = file.map(ConfigFile::read).orElse(Map.of());
        for (String name : filed.keySet()) {
            if (!names().contains(name)) {
                throw new UsageException(
                        "%s: '%s' is not a setting%s"
                                .formatted(file.orElseThrow(), name, hint(name, names())));
            }
        }
        Map<String, Value> values = new LinkedHashMap<>();
        for (Setting setting : KnownSettings.ALL) {
            value(setting, commandLine, environment, filed, file)
                    .ifPresent(v -> values.put(setting.name(), v));
        }
        List<String> warnings = new ArrayList<>(unknownVariables(environment));
        Settings settings = new Settings(values, warnings);
        settings.check();
        warnings.addAll(settings.doubts());
        return new Settings(values, warnings);
    }

    private static Optional<Value> value(
            Setting setting,
            Map<String, String> commandLine,
            Map<String, String> environment,
            Map<String, String> filed,
            Optional<Path> file) {
        String name = setting.name();
        String given = commandLine.get(name);
        if (given != null) {
            return Optional.of(accepted(setting, given, Source.COMMAND_LINE, "--" + name));
        }
        for (String variable : setting.environment()) {
            String text = environment.getOrDefault(variable, "");
            if (!text.isEmpty()) {
                return Optional.of(accepted(setting, text, Source.ENVIRONMENT, variable));
            }
        }
        String stored = filed.get(name);
        if (stored != null) {
            return Optional.of(
                    accepted(setting, stored, Source.FILE, file.orElseThrow().toString()));
        }
        return setting.initial().map(text -> new Value(text, Source.DEFAULT, ""));
    }

    private static Value accepted(Setting setting, String text, Source source, String origin) {
        Optional<String> value = setting.kind().accept(text);
        if (value.isEmpty()) {
            String shown = setting.secret() ? "a value that is not shown" : quote(text);
            String from =
                    switch (source) {
                        case COMMAND_LINE -> "on the command line";
                        case ENVIRONMENT -> "by the variable " + origin;
                        case FILE -> "by the file " + origin;
                        case DEFAULT -> "by default";
                    };
            throw new UsageException(
                    "%s is set to %s %s: it must be %s"
                            .formatted(setting.name(), shown, from, setting.kind().allowed()));
        }
        return new Value(value.get(), source, origin);
    }

    private static String quote(String text) {
        String line = text.length() > 80 ? text.substring(0, 80) + "..." : text;
        return "'" + line.replaceAll("\\p{Cntrl}", "?") + "'";
    }

    private static List<String> unknownVariables(Map<String, String> environment) {
        Set<String> known = new LinkedHashSet<>();
        KnownSettings.ALL.forEach(s -> known.addAll(s.environment()));
        List<String> warnings = new ArrayList<>();
        for (String variable : new TreeSet<>(environment.keySet())) {
            if (variable.startsWith("NIM_") && !known.contains(variable)) {
                warnings.add(
                        variable
                                + " is not known here and changes nothing"
                                + hint(variable, known));
            }
        }
        return warnings;
    }

    /// What contradicts itself.
    private void check() {
        if (optionalText("api-key").isPresent() && optionalText("api-key-file").isPresent()) {
            throw new UsageException("api-key and api-key-file: give one of them");
        }
        String mode = text("ssl-mode");
        if (!mode.equals("off")) {
            need("ssl-key-path", "ssl-mode is " + mode);
            need("ssl-certs-path", "ssl-mode is " + mode);
        }
        if (mode.equals("mtls")) {
            need("ssl-ca-certs-path", "ssl-mode is mtls");
        }
        if (optionalText("enable-otel").equals(Optional.of("true"))) {
            need("otel-endpoint", "enable-otel is true");
        }
        OptionalLong health = optionalWhole("health-port");
        if (health.isPresent() && health.getAsLong() == whole("port")) {
            throw new UsageException(
                    "health-port and port are both %d: give two ports, or no health-port"
                            .formatted(health.getAsLong()));
        }
        if (optionalText("otel-endpoint").filter(e -> !e.matches("https?://[^/].*")).isPresent()) {
            throw new UsageException(
                    "otel-endpoint is set to %s: it must begin with http:// or https://"
                            .formatted(quote(text("otel-endpoint"))));
        }
    }

    private void need(String name, String why) {
        if (optionalText(name).isEmpty()) {
            throw new UsageException("%s, but %s is not set: set it".formatted(why, name));
        }
    }

    /// What is allowed, but may not be meant.
    private List<String> doubts() {
        List<String> doubts = new ArrayList<>();
        for (String path : List.of("ssl-key-path", "ssl-certs-path", "ssl-ca-certs-path")) {
            if (text("ssl-mode").equals("off") && optionalText(path).isPresent()) {
                doubts.add(path + " is set, but ssl-mode is off: it changes nothing");
            }
        }
        return doubts;
    }

    /// To be asked before anything is loaded: the server itself refuses only when it is made.
    ///
    /// @throws PenjingException if a server of these settings may not listen on its host
    public void checkExposure() {
        Exposure.check(
                text("host"),
                optionalText("api-key").isPresent() || optionalText("api-key-file").isPresent(),
                text("ssl-mode").equals("mtls"));
    }

    private static Set<String> names() {
        Set<String> names = new LinkedHashSet<>();
        KnownSettings.ALL.forEach(s -> names.add(s.name()));
        return names;
    }

    private static String hint(String name, Set<String> known) {
        return known.stream()
                .filter(k -> Spelling.near(k, name))
                .findFirst()
                .map(k -> ": did you mean " + k + "?")
                .orElse("");
    }

    /// What a person should be told at start; a line each.
    public List<String> warnings() {
        return warnings;
    }

    /// The value of a setting of any kind.
    ///
    /// @throws IllegalStateException if it has none
    public String text(String name) {
        return optionalText(name)
                .orElseThrow(() -> new IllegalStateException(name + " is not set"));
    }

    public Optional<String> optionalText(String name) {
        setting(name);
        return Optional.ofNullable(values.get(name)).map(Value::text);
    }

    /// Texts between commas; none if it is not set.
    public List<String> list(String name) {
        return optionalText(name).map(Setting::split).orElse(List.of());
    }

    /// A whole number; what is larger than an `int` comes as the largest.
    ///
    /// @throws IllegalStateException if it has no value
    public int integer(String name) {
        return (int) Long.min(whole(name), Integer.MAX_VALUE);
    }

    public OptionalInt optionalInteger(String name) {
        return optionalText(name).isPresent() ? OptionalInt.of(integer(name)) : OptionalInt.empty();
    }

    /// A whole number that may be large.
    public long whole(String name) {
        expect(name, Setting.Whole.class);
        return Long.parseLong(text(name));
    }

    private OptionalLong optionalWhole(String name) {
        return optionalText(name).isPresent() ? OptionalLong.of(whole(name)) : OptionalLong.empty();
    }

    public boolean flag(String name) {
        expect(name, Setting.Flag.class);
        return Boolean.parseBoolean(text(name));
    }

    public Source source(String name) {
        setting(name);
        Value value = values.get(name);
        return value == null ? Source.DEFAULT : value.source();
    }

    /// Keys of which a client must send one; none if the server asks for none.
    ///
    /// @throws PenjingException if `api-key-file` cannot be read, or holds no key
    public List<String> apiKeys() {
        if (optionalText("api-key").isPresent()) {
            return List.of(text("api-key"));
        }
        if (optionalText("api-key-file").isEmpty()) {
            return List.of();
        }
        Path file = Path.of(text("api-key-file"));
        try {
            List<String> keys =
                    Files.readAllLines(file).stream()
                            .map(String::strip)
                            .filter(k -> !k.isEmpty() && !k.startsWith("#"))
                            .toList();
            if (keys.isEmpty()) {
                throw new PenjingException(
                        "api-key-file %s holds no key: write one a line".formatted(file));
            }
            return keys;
        } catch (IOException e) {
            throw new PenjingException(
                    "api-key-file %s cannot be read: give a readable text file".formatted(file), e);
        }
    }

    /// Where traces go; empty if nowhere.
    public Optional<String> traceEndpoint() {
        boolean off = optionalText("enable-otel").equals(Optional.of("false"));
        return off ? Optional.empty() : optionalText("otel-endpoint");
    }

    private static Setting setting(String name) {
        return KnownSettings.ALL.stream()
                .filter(s -> s.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no setting is called " + name));
    }

    private static void expect(String name, Class<? extends Setting.Kind> kind) {
        if (!kind.isInstance(setting(name).kind())) {
            throw new IllegalStateException(
                    name + " is not a " + kind.getSimpleName().toLowerCase(Locale.ROOT));
        }
    }

    Optional<Value> value(String name) {
        return Optional.ofNullable(values.get(name));
    }

    /// A table for `--show-config`: name, value, where it came from, what it does. Secrets are
    /// `***`.
    public String describe() {
        return SettingsView.table(this);
    }

    /// The same as a JSON object: by name `value`, `source`, `origin`, `environment`, `help`.
    public String toJson() {
        return SettingsView.json(this);
    }
}
