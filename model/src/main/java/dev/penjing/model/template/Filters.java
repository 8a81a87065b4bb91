package dev.penjing.model.template;

import static dev.penjing.model.template.Methods.argument;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Jinja's filters and tests, as far as chat templates use them.
final class Filters {
    private Filters() {}

    /// @throws TemplateException if there is no such filter
    static Object apply(String name, Object value, List<Object> p, Map<String, Object> n) {
        return switch (name) {
            case "tojson" -> json(value, p, n);
            case "trim" -> Methods.strip(PythonValues.text(value), chars(p, n), true, true);
            case "default", "d" -> {
                boolean falsy = PythonValues.truth(option(p, n, 1, "boolean", false));
                boolean missing = value instanceof Undefined || falsy && !PythonValues.truth(value);
                yield missing ? option(p, n, 0, "default_value", "") : value;
            }
            case "length", "count" -> length(value);
            case "upper" -> PythonValues.text(value).toUpperCase(Locale.ROOT);
            case "lower" -> PythonValues.text(value).toLowerCase(Locale.ROOT);
            case "title" -> Methods.title(PythonValues.text(value));
            case "capitalize" -> Methods.capitalize(PythonValues.text(value));
            case "string" -> PythonValues.text(value);
            case "safe" -> value;
            case "escape", "e", "forceescape" -> escape(PythonValues.text(value));
            case "list" -> PythonValues.items(value);
            case "items" ->
                    value instanceof Undefined
                            ? new ArrayList<Object>()
                            : Methods.of(value, "items")
                                    .orElseThrow(() -> new TemplateException("items needs a dict"))
                                    .call(List.of(), Map.of());
            case "join" -> join(value, p, n);
            case "replace" ->
                    Methods.replace(
                            PythonValues.text(value),
                            PythonValues.text(argument(p, 0)),
                            PythonValues.text(argument(p, 1)),
                            p.size() > 2 ? PythonValues.whole(p.get(2)) : -1);
            case "first" -> end(value, true);
            case "last" -> end(value, false);
            case "reverse" ->
                    value instanceof String s
                            ? new StringBuilder(s).reverse().toString()
                            : PythonValues.items(value).reversed();
            case "unique" -> unique(value);
            case "sort" -> sort(value, p, n);
            case "min", "max" -> extreme(value, name.equals("max"));
            case "sum" -> sum(value, p, n);
            case "dictsort" -> dictsort(value);
            case "map" -> map(value, p, n);
            case "select", "reject" -> select(value, p, name.equals("select"));
            case "selectattr", "rejectattr" -> selectAttribute(value, p, name.equals("selectattr"));
            case "attr" -> Evaluator.attribute(value, PythonValues.text(argument(p, 0)));
            case "int" -> toInt(value, p, n);
            case "float" -> toFloat(value, p, n);
            case "abs" ->
                    value instanceof Double d
                            ? (Object) Math.abs(d)
                            : (Object) Math.abs(PythonValues.whole(value));
            case "round" -> round(value, p, n);
            case "indent" -> indent(PythonValues.text(value), p, n);
            case "wordcount" ->
                    (long) PythonValues.text(value).strip().split("\\s+").length
                            - (PythonValues.text(value).isBlank() ? 1 : 0);
            case "batch" -> batch(value, p);
            default -> throw new TemplateException("the filter '" + name + "' is not known here");
        };
    }

    private static Object option(
            List<Object> p, Map<String, Object> n, int index, String name, Object otherwise) {
        return index < p.size() ? p.get(index) : n.getOrDefault(name, otherwise);
    }

    private static List<Object> chars(List<Object> p, Map<String, Object> n) {
        Object chars = option(p, n, 0, "chars", None.NONE);
        return List.of(chars);
    }

    private static String json(Object value, List<Object> p, Map<String, Object> n) {
        boolean ascii = PythonValues.truth(option(p, n, 0, "ensure_ascii", false));
        Object indent = option(p, n, 1, "indent", None.NONE);
        Object separators = option(p, n, 2, "separators", None.NONE);
        boolean sorted = PythonValues.truth(option(p, n, 3, "sort_keys", false));
        Optional<String> by =
                switch (indent) {
                    case None none -> Optional.empty();
                    case String s -> Optional.of(s);
                    default ->
                            Optional.of(
                                    " "
                                            .repeat(
                                                    (int)
                                                            Math.clamp(
                                                                    PythonValues.whole(indent),
                                                                    0,
                                                                    100)));
                };
        String item = by.isPresent() ? "," : ", ";
        String key = ": ";
        if (separators instanceof List<?> pair && pair.size() == 2) {
            item = PythonValues.text(pair.get(0));
            key = PythonValues.text(pair.get(1));
        }
        return new PythonJson(by, item, key, ascii, sorted).write(value);
    }

    static long length(Object value) {
        return switch (value) {
            case String s -> s.codePointCount(0, s.length());
            case List<?> list -> list.size();
            case Map<?, ?> map -> map.size();
            case Undefined u -> 0;
            default -> throw new TemplateException(PythonValues.kind(value) + " has no length");
        };
    }

    private static String escape(String s) {
        return s.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    }

    private static String join(Object value, List<Object> p, Map<String, Object> n) {
        String by = PythonValues.text(option(p, n, 0, "d", ""));
        Object attribute = option(p, n, 1, "attribute", None.NONE);
        StringBuilder out = new StringBuilder();
        String separator = "";
        for (Object item : PythonValues.items(value)) {
            Object shown = attribute == None.NONE ? item : path(item, PythonValues.text(attribute));
            out.append(separator).append(PythonValues.text(shown));
            separator = by;
            if (out.length() > 1 << 24) {
                throw new TemplateException("a text becomes too long");
            }
        }
        return out.toString();
    }

    private static Object end(Object value, boolean first) {
        List<Object> items = PythonValues.items(value);
        if (items.isEmpty()) {
            return new Undefined(first ? "first of nothing" : "last of nothing");
        }
        return first ? items.getFirst() : items.getLast();
    }

    private static List<Object> unique(Object value) {
        List<Object> items = new ArrayList<>();
        for (Object item : PythonValues.items(value)) {
            // without regard to case, as Jinja does it
            Object key = item instanceof String s ? s.toLowerCase(Locale.ROOT) : item;
            if (items.stream()
                    .noneMatch(i ->
                            PythonValues.equal(
                                    i instanceof String s ? s.toLowerCase(Locale.ROOT) : i, key))) {
                items.add(item);
            }
        }
        return items;
    }

    private static List<Object> sort(Object value, List<Object> p, Map<String, Object> n) {
        boolean descending = PythonValues.truth(option(p, n, 0, "reverse", false));
        boolean caseSensitive = PythonValues.truth(option(p, n, 1, "case_sensitive", false));
        Object attribute = option(p, n, 2, "attribute", None.NONE);
        List<Object> items = PythonValues.items(value);
        Comparator<Object> order =
                (a, b) ->
                        PythonValues.compare(
                                sortKey(a, attribute, caseSensitive),
                                sortKey(b, attribute, caseSensitive));
        items.sort(descending ? Collections.reverseOrder(order) : order);
        return items;
    }

    private static Object sortKey(Object item, Object attribute, boolean caseSensitive) {
        Object key = attribute == None.NONE ? item : path(item, PythonValues.text(attribute));
        return key instanceof String s && !caseSensitive ? s.toLowerCase(Locale.ROOT) : key;
    }

    private static Object extreme(Object value, boolean largest) {
        Comparator<Object> order =
                (a, b) ->
                        PythonValues.compare(
                                sortKey(a, None.NONE, false), sortKey(b, None.NONE, false));
        List<Object> items = PythonValues.items(value);
        if (items.isEmpty()) {
            return new Undefined("the extreme of nothing");
        }
        return largest ? Collections.max(items, order) : Collections.min(items, order);
    }

    private static Object sum(Object value, List<Object> p, Map<String, Object> n) {
        Object attribute = option(p, n, 0, "attribute", None.NONE);
        Object sum = option(p, n, 1, "start", 0L);
        for (Object item : PythonValues.items(value)) {
            sum =
                    PythonValues.binary(
                            "+",
                            sum,
                            attribute == None.NONE
                                    ? item
                                    : path(item, PythonValues.text(attribute)));
        }
        return sum;
    }

    private static List<Object> dictsort(Object value) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new TemplateException("dictsort needs a dict");
        }
        List<Object> items = new ArrayList<>();
        map.forEach((key, item) -> items.add(List.of(key, item)));
        items.sort((a, b) ->
                PythonValues.compare(
                        sortKey(((List<?>) a).getFirst(), None.NONE, false),
                        sortKey(((List<?>) b).getFirst(), None.NONE, false)));
        return items;
    }

    private static Object path(Object item, String attribute) {
        Object at = item;
        for (String part : attribute.split("\\.")) {
            at =
                    part.matches("\\d+")
                            ? Evaluator.item(at, Long.parseLong(part))
                            : Evaluator.item(at, part);
        }
        return at;
    }

    private static List<Object> map(Object value, List<Object> p, Map<String, Object> n) {
        List<Object> results = new ArrayList<>();
        for (Object item : PythonValues.items(value)) {
            if (p.isEmpty()) {
                Object attribute = n.getOrDefault("attribute", None.NONE);
                if (attribute == None.NONE) {
                    throw new TemplateException("map needs a filter or an attribute");
                }
                Object found = path(item, PythonValues.text(attribute));
                results.add(found instanceof Undefined ? n.getOrDefault("default", found) : found);
            } else {
                results.add(
                        apply(PythonValues.text(p.getFirst()), item, p.subList(1, p.size()), n));
            }
        }
        return results;
    }

    private static List<Object> select(Object value, List<Object> p, boolean keep) {
        List<Object> results = new ArrayList<>();
        for (Object item : PythonValues.items(value)) {
            boolean holds =
                    p.isEmpty()
                            ? PythonValues.truth(item)
                            : test(PythonValues.text(p.getFirst()), item, p.subList(1, p.size()));
            if (holds == keep) {
                results.add(item);
            }
        }
        return results;
    }

    private static List<Object> selectAttribute(Object value, List<Object> p, boolean keep) {
        String attribute = PythonValues.text(argument(p, 0));
        List<Object> results = new ArrayList<>();
        for (Object item : PythonValues.items(value)) {
            Object found = path(item, attribute);
            boolean holds =
                    p.size() < 2
                            ? PythonValues.truth(found)
                            : test(PythonValues.text(p.get(1)), found, p.subList(2, p.size()));
            if (holds == keep) {
                results.add(item);
            }
        }
        return results;
    }

    private static Object toInt(Object value, List<Object> p, Map<String, Object> n) {
        try {
            return value instanceof String s
                    ? (Object)
                            (s.strip().matches("[-+]?\\d+")
                                    ? Long.parseLong(s.strip())
                                    : (long) Double.parseDouble(s.strip()))
                    : (Object) PythonValues.whole(value);
        } catch (NumberFormatException | TemplateException e) {
            return option(p, n, 0, "default", 0L);
        }
    }

    private static Object toFloat(Object value, List<Object> p, Map<String, Object> n) {
        try {
            return value instanceof String s
                    ? (Object) Double.parseDouble(s.strip())
                    : (Object) PythonValues.number(value);
        } catch (NumberFormatException | TemplateException e) {
            return option(p, n, 0, "default", 0.0);
        }
    }

    private static Object round(Object value, List<Object> p, Map<String, Object> n) {
        int digits =
                (int) Math.clamp(PythonValues.whole(option(p, n, 0, "precision", 0L)), -300, 300);
        RoundingMode mode =
                switch (PythonValues.text(option(p, n, 1, "method", "common"))) {
                    case "ceil" -> RoundingMode.CEILING;
                    case "floor" -> RoundingMode.FLOOR;
                    default -> RoundingMode.HALF_EVEN;
                };
        return new BigDecimal(PythonValues.number(value)).setScale(digits, mode).doubleValue();
    }

    private static String indent(String s, List<Object> p, Map<String, Object> n) {
        Object width = option(p, n, 0, "width", 4L);
        String by =
                width instanceof String w
                        ? w
                        : " ".repeat((int) Math.clamp(PythonValues.whole(width), 0, 1000));
        boolean first = PythonValues.truth(option(p, n, 1, "first", false));
        boolean blank = PythonValues.truth(option(p, n, 2, "blank", false));
        String[] lines = s.split("\n", -1);
        StringBuilder out = new StringBuilder(first ? by : "").append(lines[0]);
        for (int i = 1; i < lines.length; i++) {
            out.append('\n').append(blank || !lines[i].isEmpty() ? by : "").append(lines[i]);
        }
        return PythonValues.limited(out.toString());
    }

    private static List<Object> batch(Object value, List<Object> p) {
        int size = (int) Math.clamp(PythonValues.whole(argument(p, 0)), 1, Integer.MAX_VALUE);
        List<Object> batches = new ArrayList<>();
        List<Object> items = PythonValues.items(value);
        for (int at = 0; at < items.size(); at += size) {
            List<Object> part =
                    new ArrayList<>(items.subList(at, Math.min(items.size(), at + size)));
            while (p.size() > 1 && part.size() < size) {
                part.add(p.get(1));
            }
            batches.add(part);
        }
        return batches;
    }

    /// @throws TemplateException if there is no such test
    static boolean test(String name, Object value, List<Object> p) {
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == None.NONE;
            case "boolean" -> value instanceof Boolean;
            case "true" -> value.equals(true);
            case "false" -> value.equals(false);
            case "string" -> value instanceof String;
            case "number" -> PythonValues.isNumber(value);
            case "integer" -> value instanceof Long;
            case "float" -> value instanceof Double;
            case "mapping" -> value instanceof Map<?, ?>;
            case "sequence", "iterable" ->
                    value instanceof String
                            || value instanceof List<?>
                            || value instanceof Map<?, ?>
                            || value instanceof Undefined;
            case "callable" -> value instanceof Callable;
            case "odd" -> Math.floorMod(PythonValues.whole(value), 2L) == 1;
            case "even" -> Math.floorMod(PythonValues.whole(value), 2L) == 0;
            case "divisibleby" ->
                    Math.floorMod(PythonValues.whole(value), PythonValues.whole(argument(p, 0)))
                            == 0;
            case "in" -> PythonValues.contains(argument(p, 0), value);
            case "eq", "equalto", "==" -> PythonValues.equal(value, argument(p, 0));
            case "ne", "!=" -> !PythonValues.equal(value, argument(p, 0));
            case "lt", "lessthan", "<" -> PythonValues.compare(value, argument(p, 0)) < 0;
            case "le", "<=" -> PythonValues.compare(value, argument(p, 0)) <= 0;
            case "gt", "greaterthan", ">" -> PythonValues.compare(value, argument(p, 0)) > 0;
            case "ge", ">=" -> PythonValues.compare(value, argument(p, 0)) >= 0;
            case "sameas" -> value == argument(p, 0) || value.equals(argument(p, 0));
            case "upper" -> value instanceof String s && s.equals(s.toUpperCase(Locale.ROOT));
            case "lower" -> value instanceof String s && s.equals(s.toLowerCase(Locale.ROOT));
            default -> throw new TemplateException("the test '" + name + "' is not known here");
        };
    }
}
