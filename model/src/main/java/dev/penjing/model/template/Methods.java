package dev.penjing.model.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntPredicate;

/// The methods of Python's texts, lists and dicts that templates call. What would change a value is
/// missing, as in the sandbox that transformers uses.
final class Methods {
    private Methods() {}

    /// A method bound to its value, if there is one of this name.
    static Optional<Callable> of(Object value, String name) {
        return switch (value) {
            case String s -> text(s, name);
            case Map<?, ?> map -> dict(map, name);
            case List<?> list -> list(list, name);
            default -> Optional.empty();
        };
    }

    private static Optional<Callable> list(List<?> list, String name) {
        return switch (name) {
            case "index" ->
                    Optional.of((p, n) -> {
                        for (int i = 0; i < list.size(); i++) {
                            if (PythonValues.equal(list.get(i), argument(p, 0))) {
                                return (long) i;
                            }
                        }
                        throw new TemplateException("index: the list has no such item");
                    });
            case "count" ->
                    Optional.of((p, n) ->
                            list.stream()
                                    .filter(i -> PythonValues.equal(i, argument(p, 0)))
                                    .count());
            case "copy" -> Optional.of((p, n) -> new ArrayList<>(list));
            case "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse" ->
                    throw new TemplateException("a template may not change a list: " + name);
            default -> Optional.empty();
        };
    }

    private static Optional<Callable> dict(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" ->
                    Optional.of((p, n) -> {
                        List<Object> items = new ArrayList<>();
                        map.forEach((key, value) -> items.add(List.of(key, value)));
                        return items;
                    });
            case "keys" -> Optional.of((p, n) -> new ArrayList<Object>(map.keySet()));
            case "values" -> Optional.of((p, n) -> new ArrayList<Object>(map.values()));
            case "get" ->
                    Optional.of((p, n) -> {
                        Object value = map.get(argument(p, 0));
                        Object otherwise =
                                p.size() > 1 ? p.get(1) : n.getOrDefault("default", None.NONE);
                        return value == null ? otherwise : value;
                    });
            case "copy" -> Optional.of((p, n) -> new java.util.LinkedHashMap<Object, Object>(map));
            case "update", "pop", "popitem", "setdefault", "clear" ->
                    throw new TemplateException("a template may not change a dict: " + name);
            default -> Optional.empty();
        };
    }

    private static Optional<Callable> text(String s, String name) {
        return switch (name) {
            case "strip" -> Optional.of((p, n) -> strip(s, p, true, true));
            case "lstrip" -> Optional.of((p, n) -> strip(s, p, true, false));
            case "rstrip" -> Optional.of((p, n) -> strip(s, p, false, true));
            case "split" -> Optional.of((p, n) -> split(s, p, n));
            case "rsplit" -> Optional.of((p, n) -> rsplit(s, p, n));
            case "splitlines" -> Optional.of((p, n) -> new ArrayList<Object>(s.lines().toList()));
            case "startswith" -> Optional.of((p, n) -> any(argument(p, 0), s::startsWith));
            case "endswith" -> Optional.of((p, n) -> any(argument(p, 0), s::endsWith));
            case "upper" -> Optional.of((p, n) -> s.toUpperCase(Locale.ROOT));
            case "lower" -> Optional.of((p, n) -> s.toLowerCase(Locale.ROOT));
            case "title" -> Optional.of((p, n) -> title(s));
            case "capitalize" -> Optional.of((p, n) -> capitalize(s));
            case "replace" ->
                    Optional.of((p, n) ->
                            replace(
                                    s,
                                    PythonValues.text(argument(p, 0)),
                                    PythonValues.text(argument(p, 1)),
                                    p.size() > 2 ? PythonValues.whole(p.get(2)) : -1));
            case "join" ->
                    Optional.of((p, n) ->
                            PythonValues.limited(
                                    String.join(
                                            s,
                                            PythonValues.items(argument(p, 0)).stream()
                                                    .map(Methods::requireText)
                                                    .toList())));
            case "find" ->
                    Optional.of(
                            (p, n) -> position(s, s.indexOf(PythonValues.text(argument(p, 0)))));
            case "rfind" ->
                    Optional.of((p, n) ->
                            position(s, s.lastIndexOf(PythonValues.text(argument(p, 0)))));
            case "index" ->
                    Optional.of((p, n) -> {
                        int at = s.indexOf(PythonValues.text(argument(p, 0)));
                        if (at < 0) {
                            throw new TemplateException("index: the text has no such part");
                        }
                        return position(s, at);
                    });
            case "count" -> Optional.of((p, n) -> count(s, PythonValues.text(argument(p, 0))));
            case "removeprefix" ->
                    Optional.of((p, n) -> {
                        String prefix = PythonValues.text(argument(p, 0));
                        return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
                    });
            case "removesuffix" ->
                    Optional.of((p, n) -> {
                        String suffix = PythonValues.text(argument(p, 0));
                        return s.endsWith(suffix)
                                ? s.substring(0, s.length() - suffix.length())
                                : s;
                    });
            case "isdigit", "isnumeric", "isdecimal" -> all(s, Character::isDigit);
            case "isalpha" -> all(s, Character::isLetter);
            case "isalnum" -> all(s, Character::isLetterOrDigit);
            case "isspace" -> all(s, Character::isWhitespace);
            case "isupper" ->
                    Optional.of((p, n) ->
                            s.equals(s.toUpperCase(Locale.ROOT))
                                    && !s.equals(s.toLowerCase(Locale.ROOT)));
            case "islower" ->
                    Optional.of((p, n) ->
                            s.equals(s.toLowerCase(Locale.ROOT))
                                    && !s.equals(s.toUpperCase(Locale.ROOT)));
            case "zfill" ->
                    Optional.of((p, n) -> {
                        long width = Math.min(10_000, PythonValues.whole(argument(p, 0)));
                        boolean sign = s.startsWith("-") || s.startsWith("+");
                        String zeros = "0".repeat((int) Math.max(0, width - s.length()));
                        return sign ? s.charAt(0) + zeros + s.substring(1) : zeros + s;
                    });
            default -> Optional.empty();
        };
    }

    static Object argument(List<Object> arguments, int index) {
        if (index >= arguments.size()) {
            throw new TemplateException("a call lacks its argument " + (index + 1));
        }
        return arguments.get(index);
    }

    private static String requireText(Object item) {
        if (item instanceof String s) {
            return s;
        }
        throw new TemplateException("join needs texts, not " + PythonValues.kind(item));
    }

    /// Python counts code points.
    private static long position(String s, int at) {
        return at < 0 ? -1 : s.codePointCount(0, at);
    }

    private static Optional<Callable> all(String s, IntPredicate test) {
        return Optional.of((p, n) -> !s.isEmpty() && s.codePoints().allMatch(test));
    }

    private static boolean any(Object candidates, Function<String, Boolean> test) {
        List<?> all = candidates instanceof List<?> list ? list : List.of(candidates);
        return all.stream().anyMatch(c -> test.apply(PythonValues.text(c)));
    }

    static String strip(String s, List<Object> arguments, boolean left, boolean right) {
        boolean blanks = arguments.isEmpty() || arguments.getFirst() == None.NONE;
        String set = blanks ? "" : PythonValues.text(arguments.getFirst());
        int from = 0;
        int to = s.length();
        while (left && from < to && strips(s.charAt(from), set, blanks)) {
            from++;
        }
        while (right && to > from && strips(s.charAt(to - 1), set, blanks)) {
            to--;
        }
        return s.substring(from, to);
    }

    private static boolean strips(char c, String set, boolean blanks) {
        return blanks ? Character.isWhitespace(c) || c == '\u00a0' : set.indexOf(c) >= 0;
    }

    private static List<Object> split(String s, List<Object> p, Map<String, Object> n) {
        Object separator = p.isEmpty() ? n.getOrDefault("sep", None.NONE) : p.getFirst();
        Object limit = p.size() > 1 ? p.get(1) : n.getOrDefault("maxsplit", -1L);
        long most = PythonValues.whole(limit);
        List<Object> parts = new ArrayList<>();
        if (separator == None.NONE) {
            String rest = s.stripLeading();
            while (!rest.isEmpty()) {
                int end = 0;
                while (end < rest.length() && !Character.isWhitespace(rest.charAt(end))) {
                    end++;
                }
                if (most >= 0 && parts.size() == most) {
                    end = rest.length();
                }
                parts.add(rest.substring(0, end));
                rest = rest.substring(end).stripLeading();
            }
            return parts;
        }
        String by = requireSeparator(separator);
        int at = 0;
        for (int next = s.indexOf(by); next >= 0 && (most < 0 || parts.size() < most); ) {
            parts.add(s.substring(at, next));
            at = next + by.length();
            next = s.indexOf(by, at);
        }
        parts.add(s.substring(at));
        return parts;
    }

    private static List<Object> rsplit(String s, List<Object> p, Map<String, Object> n) {
        if (p.isEmpty() || p.getFirst() == None.NONE) {
            return split(s, p, n);
        }
        String by = requireSeparator(p.getFirst());
        long most = p.size() > 1 ? PythonValues.whole(p.get(1)) : -1;
        List<Object> parts = new ArrayList<>();
        String rest = s;
        while (most < 0 || parts.size() < most) {
            int at = rest.lastIndexOf(by);
            if (at < 0) {
                break;
            }
            parts.addFirst(rest.substring(at + by.length()));
            rest = rest.substring(0, at);
        }
        parts.addFirst(rest);
        return parts;
    }

    private static String requireSeparator(Object separator) {
        String by = PythonValues.text(separator);
        if (by.isEmpty()) {
            throw new TemplateException("split needs a separator that is not empty");
        }
        return by;
    }

    static String replace(String s, String old, String by, long most) {
        if (most < 0) {
            long found = old.isEmpty() ? s.length() + 1L : count(s, old);
            if (s.length() + found * by.length() > 1 << 24) {
                throw new TemplateException("a text becomes too long");
            }
            return s.replace(old, by);
        }
        String result = s;
        int at = 0;
        for (long i = 0; i < most; i++) {
            int next = result.indexOf(old, at);
            if (next < 0) {
                break;
            }
            result =
                    PythonValues.limited(
                            result.substring(0, next) + by + result.substring(next + old.length()));
            at = next + by.length();
        }
        return result;
    }

    private static long count(String s, String part) {
        long count = 0;
        for (int at = s.indexOf(part);
                at >= 0 && !part.isEmpty();
                at = s.indexOf(part, at + part.length())) {
            count++;
        }
        return part.isEmpty() ? s.length() + 1L : count;
    }

    static String title(String s) {
        StringBuilder out = new StringBuilder();
        boolean inWord = false;
        for (char c : s.toCharArray()) {
            out.append(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }
        return out.toString();
    }

    static String capitalize(String s) {
        return s.isEmpty()
                ? s
                : s.substring(0, 1).toUpperCase(Locale.ROOT)
                        + s.substring(1).toLowerCase(Locale.ROOT);
    }

    /// `format % value`, with %s, %d, %r and %%.
    static String percent(String format, Object value) {
        List<?> values = value instanceof List<?> list ? list : List.of(value);
        StringBuilder out = new StringBuilder();
        int next = 0;
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%') {
                out.append(c);
                continue;
            }
            char kind = i + 1 < format.length() ? format.charAt(i + 1) : ' ';
            i++;
            if (kind == '%') {
                out.append('%');
                continue;
            }
            if ("sdr".indexOf(kind) < 0) {
                throw new TemplateException("the format %" + kind + " is not known here");
            }
            if (next >= values.size()) {
                throw new TemplateException("a format has more places than values");
            }
            Object item = values.get(next++);
            out.append(
                    switch (kind) {
                        case 's' -> PythonValues.text(item);
                        case 'd' -> Long.toString(PythonValues.whole(item));
                        default -> PythonValues.repr(item);
                    });
        }
        return PythonValues.limited(out.toString());
    }
}
