package dev.penjing.model.template;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.JsonText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// A model's own way to write a conversation down: a Jinja template, as Hugging Face's transformers
/// renders it (`apply_chat_template`). Immutable and safe to share between threads.
public final class ChatTemplate {
    private static final int LONGEST = 1 << 20;
    private static final int LONGEST_RANGE = 100_000;

    private final String source;
    private final List<Statement> statements;
    private final Clock clock;

    private ChatTemplate(String source, List<Statement> statements, Clock clock) {
        this.source = source;
        this.statements = statements;
        this.clock = clock;
    }

    /// @throws TemplateException if it is malformed, or has a tag that is not known
    public static ChatTemplate parse(String source) {
        return parse(source, Clock.systemDefaultZone());
    }

    /// @param clock what `strftime_now` tells
    public static ChatTemplate parse(String source, Clock clock) {
        if (source.length() > LONGEST) {
            throw new TemplateException("the chat template is longer than " + LONGEST);
        }
        return new ChatTemplate(source, Parser.parse(source), clock);
    }

    /// The template of a model in Hugging Face form: `chat_template.jinja`, or what
    /// `tokenizer_config.json` says, the one called `default` where there are several.
    public static Optional<ChatTemplate> of(Path directory) {
        return sourceIn(directory).map(ChatTemplate::parse);
    }

    /// The source of what [#of] finds, not parsed.
    ///
    /// @throws PenjingException if a file is there and cannot be read
    public static Optional<String> sourceIn(Path directory) {
        Path own = directory.resolve("chat_template.jinja");
        Path settings = directory.resolve("tokenizer_config.json");
        try {
            if (Files.isRegularFile(own)) {
                return Optional.of(Files.readString(own));
            }
            if (!Files.isRegularFile(settings)) {
                return Optional.empty();
            }
            JsonNode template = JsonText.parse(Files.readString(settings)).path("chat_template");
            if (template.isString()) {
                return Optional.of(template.asString());
            }
            for (JsonNode named : template) {
                if (named.path("name").asString("").equals("default")) {
                    return Optional.of(named.path("template").asString(""));
                }
            }
            return Optional.empty();
        } catch (IOException | JacksonException e) {
            throw new PenjingException(
                    "cannot read the chat template of " + directory + ": " + e.getMessage(), e);
        }
    }

    public String source() {
        return source;
    }

    /// A conversation as the text to continue.
    ///
    /// @param variables `messages`, `add_generation_prompt`, `bos_token`, `eos_token`, and whatever
    ///   else the template asks for; of Java's texts, numbers, truths, lists and maps; null is None
    /// @throws TemplateException if the template refuses them, or fails
    public String render(Map<String, ?> variables) {
        Map<String, Object> all = new HashMap<>(globals());
        variables.forEach((name, value) -> all.put(name, PythonValues.value(value)));
        try {
            return TemplateInterpreter.run(statements, all);
        } catch (StackOverflowError e) {
            throw new TemplateException("the chat template is nested too deep");
        } catch (ArithmeticException | ClassCastException e) {
            throw new TemplateException("the chat template fails: " + e.getMessage());
        }
    }

    private Map<String, Object> globals() {
        return Map.of(
                "raise_exception",
                (Callable)
                        (p, n) -> {
                            throw new TemplateException(
                                    PythonValues.text(Methods.argument(p, 0)), true);
                        },
                "strftime_now",
                (Callable) (p, n) -> time(PythonValues.text(Methods.argument(p, 0))),
                "namespace",
                (Callable)
                        (p, n) -> {
                            Namespace namespace = new Namespace();
                            if (!p.isEmpty() && p.getFirst() instanceof Map<?, ?> map) {
                                map.forEach((k, v) ->
                                        namespace.attributes.put(PythonValues.text(k), v));
                            }
                            namespace.attributes.putAll(n);
                            return namespace;
                        },
                "dict",
                (Callable) (p, n) -> new java.util.LinkedHashMap<Object, Object>(n),
                "range",
                (Callable) (p, n) -> range(p));
    }

    private static List<Object> range(List<Object> p) {
        long start = p.size() > 1 ? PythonValues.whole(p.get(0)) : 0;
        long stop = PythonValues.whole(Methods.argument(p, p.size() > 1 ? 1 : 0));
        long step = p.size() > 2 ? PythonValues.whole(p.get(2)) : 1;
        if (step == 0) {
            throw new TemplateException("range: the step is zero");
        }
        List<Object> numbers = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            if (numbers.size() == LONGEST_RANGE) {
                throw new TemplateException("range: more than " + LONGEST_RANGE + " numbers");
            }
            numbers.add(i);
        }
        return numbers;
    }

    /// C's strftime in English.
    private String time(String format) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char kind = format.charAt(++i);
            boolean bare = kind == '-' && i + 1 < format.length();
            if (bare) {
                kind = format.charAt(++i);
            }
            String text = part(now, kind);
            out.append(bare ? text.replaceFirst("^0+(?=.)", "") : text);
        }
        return out.toString();
    }

    private static String part(ZonedDateTime now, char kind) {
        return switch (kind) {
            case 'Y' -> "%04d".formatted(now.getYear());
            case 'y' -> "%02d".formatted(now.getYear() % 100);
            case 'm' -> "%02d".formatted(now.getMonthValue());
            case 'd' -> "%02d".formatted(now.getDayOfMonth());
            case 'e' -> "%2d".formatted(now.getDayOfMonth());
            case 'H' -> "%02d".formatted(now.getHour());
            case 'I' -> "%02d".formatted((now.getHour() + 11) % 12 + 1);
            case 'M' -> "%02d".formatted(now.getMinute());
            case 'S' -> "%02d".formatted(now.getSecond());
            case 'p' -> now.getHour() < 12 ? "AM" : "PM";
            case 'j' -> "%03d".formatted(now.getDayOfYear());
            case 'B' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'b' -> now.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'A' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'a' -> now.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'F' -> part(now, 'Y') + "-" + part(now, 'm') + "-" + part(now, 'd');
            case 'T' -> part(now, 'H') + ":" + part(now, 'M') + ":" + part(now, 'S');
            case '%' -> "%";
            default -> throw new TemplateException("strftime_now: %" + kind + " is not known here");
        };
    }
}
