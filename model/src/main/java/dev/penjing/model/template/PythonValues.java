package dev.penjing.model.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Values as Python has them: text, truth, order, arithmetic.
///
/// A value is a `String`, `Long`, `Double`, `Boolean`, `List`, `Map` with text keys, [None],
/// [Undefined], [Namespace] or [Callable].
final class PythonValues {
    private static final int LONGEST = 1 << 24;

    private PythonValues() {}

    /// Any of Java's numbers and collections, or JSON, as a value.
    static Object value(@Nullable Object java) {
        return switch (java) {
            case null -> None.NONE;
            case JsonNode json -> value(json);
            case Integer i -> (long) i;
            case Float f -> (double) f;
            case Map<?, ?> map -> {
                Map<String, Object> values = new LinkedHashMap<>();
                map.forEach((key, item) -> values.put(String.valueOf(key), value(item)));
                yield values;
            }
            case Collection<?> items -> {
                List<Object> values = new ArrayList<>();
                items.forEach(item -> values.add(value(item)));
                yield values;
            }
            default -> java;
        };
    }

    private static Object value(JsonNode json) {
        if (json.isObject()) {
            Map<String, Object> values = new LinkedHashMap<>();
            json.properties().forEach(e -> values.put(e.getKey(), value(e.getValue())));
            return values;
        }
        if (json.isArray()) {
            List<Object> values = new ArrayList<>();
            json.forEach(item -> values.add(value(item)));
            return values;
        }
        if (json.isNumber()) {
            return json.isIntegralNumber() && json.canConvertToLong()
                    ? (Object) json.longValue()
                    : (Object) json.doubleValue();
        }
        return json.isBoolean()
                ? (Object) json.booleanValue()
                : json.isString() ? json.stringValue() : None.NONE;
    }

    static boolean truth(Object value) {
        return switch (value) {
            case Boolean b -> b;
            case Long n -> n != 0;
            case Double d -> d != 0;
            case String s -> !s.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case None n -> false;
            case Undefined u -> false;
            default -> true;
        };
    }

    /// What `str()` gives.
    static String text(Object value) {
        return switch (value) {
            case String s -> s;
            case Undefined u -> "";
            default -> repr(value);
        };
    }

    static String repr(Object value) {
        StringBuilder out = new StringBuilder();
        repr(value, out, 0);
        return out.toString();
    }

    private static void repr(Object value, StringBuilder out, int depth) {
        if (depth > 100 || out.length() > LONGEST) {
            throw new TemplateException("a value is too large to be written");
        }
        switch (value) {
            case Boolean b -> out.append(b ? "True" : "False");
            case None n -> out.append("None");
            case Undefined u -> out.append("Undefined");
            case Long n -> out.append(n.longValue());
            case Double d -> out.append(real(d));
            case String s -> quoted(s, out);
            case List<?> list -> {
                out.append('[');
                String comma = "";
                for (Object item : list) {
                    out.append(comma);
                    repr(item, out, depth + 1);
                    comma = ", ";
                }
                out.append(']');
            }
            case Map<?, ?> map -> {
                out.append('{');
                String comma = "";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(comma);
                    repr(entry.getKey(), out, depth + 1);
                    out.append(": ");
                    repr(entry.getValue(), out, depth + 1);
                    comma = ", ";
                }
                out.append('}');
            }
            default -> out.append("<object>");
        }
    }

    /// Shortest digits that read back the same, in Python's form.
    static String real(double d) {
        if (Double.isNaN(d)) {
            return "nan";
        }
        if (Double.isInfinite(d)) {
            return d > 0 ? "inf" : "-inf";
        }
        if (d == 0) {
            return 1 / d < 0 ? "-0.0" : "0.0";
        }
        BigDecimal exact = new BigDecimal(Double.toString(d)).stripTrailingZeros();
        int exponent = exact.precision() - exact.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = exact.toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String digits = exact.unscaledValue().abs().toString();
        String mantissa =
                digits.length() > 1 ? digits.charAt(0) + "." + digits.substring(1) : digits;
        return (d < 0 ? "-" : "")
                + mantissa
                + "e"
                + (exponent < 0 ? "-" : "+")
                + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }

    private static void quoted(String s, StringBuilder out) {
        char quote = s.contains("'") && !s.contains("\"") ? '"' : '\'';
        out.append(quote);
        s.codePoints()
                .forEach(c -> {
                    if (c == quote || c == '\\') {
                        out.append('\\').appendCodePoint(c);
                    } else if (c == '\n') {
                        out.append("\\n");
                    } else if (c == '\r') {
                        out.append("\\r");
                    } else if (c == '\t') {
                        out.append("\\t");
                    } else if (c < 32 || c >= 127 && c < 161 || c == 173) {
                        out.append(String.format("\\x%02x", c));
                    } else {
                        out.appendCodePoint(c);
                    }
                });
        out.append(quote);
    }

    static boolean equal(Object a, Object b) {
        if (isNumber(a) && isNumber(b)) {
            return a instanceof Double || b instanceof Double
                    ? number(a) == number(b)
                    : whole(a) == whole(b);
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            if (x.size() != y.size()) {
                return false;
            }
            for (int i = 0; i < x.size(); i++) {
                if (!equal(x.get(i), y.get(i))) {
                    return false;
                }
            }
            return true;
        }
        if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
            return x.size() == y.size()
                    && x.entrySet().stream()
                            .allMatch(e ->
                                    y.containsKey(e.getKey())
                                            && equal(e.getValue(), y.get(e.getKey())));
        }
        if (a instanceof Undefined && b instanceof Undefined) {
            return true;
        }
        return a.equals(b);
    }

    static int compare(Object a, Object b) {
        if (isNumber(a) && isNumber(b)) {
            return a instanceof Double || b instanceof Double
                    ? Double.compare(number(a), number(b))
                    : Long.compare(whole(a), whole(b));
        }
        if (a instanceof String x && b instanceof String y) {
            return x.compareTo(y);
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
                int c = compare(x.get(i), y.get(i));
                if (c != 0) {
                    return c;
                }
            }
            return Integer.compare(x.size(), y.size());
        }
        throw new TemplateException(kind(a) + " and " + kind(b) + " have no order");
    }

    static boolean contains(Object container, Object item) {
        return switch (container) {
            case String s -> s.contains(text(item));
            case List<?> list -> list.stream().anyMatch(i -> equal(i, item));
            case Map<?, ?> map -> map.containsKey(item);
            case Undefined u -> false;
            default -> throw new TemplateException("'in' needs a list, a text or a dict");
        };
    }

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static double number(Object value) {
        return value instanceof Double d ? d : whole(value);
    }

    static long whole(Object value) {
        return switch (value) {
            case Long n -> n;
            case Boolean b -> b ? 1 : 0;
            case Double d -> (long) (double) d;
            default -> throw new TemplateException(kind(value) + " is not a number");
        };
    }

    static String kind(Object value) {
        return switch (value) {
            case String s -> "a text";
            case List<?> l -> "a list";
            case Map<?, ?> m -> "a dict";
            case None n -> "None";
            case Undefined u -> "'" + u.what() + "', which is undefined,";
            case Boolean b -> "a truth value";
            case Long n -> "a number";
            case Double d -> "a number";
            default -> "an object";
        };
    }

    /// What a loop goes through.
    static List<Object> items(Object value) {
        return switch (value) {
            case List<?> list -> new ArrayList<>(list);
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case String s -> new ArrayList<>(s.codePoints().mapToObj(Character::toString).toList());
            case Undefined u -> new ArrayList<>();
            default -> throw new TemplateException(kind(value) + " cannot be gone through");
        };
    }

    static Object binary(String operator, Object a, Object b) {
        if (operator.equals("~")) {
            return limited(text(a) + text(b));
        }
        if (operator.equals("+") && a instanceof String x && b instanceof String y) {
            return limited(x + y);
        }
        if (operator.equals("+") && a instanceof List<?> x && b instanceof List<?> y) {
            List<Object> both = new ArrayList<>(x);
            both.addAll(y);
            return both;
        }
        if (operator.equals("*") && a instanceof String s && b instanceof Long n) {
            return repeat(s, n);
        }
        if (operator.equals("*") && a instanceof Long n && b instanceof String s) {
            return repeat(s, n);
        }
        if (operator.equals("%") && a instanceof String format) {
            return Methods.percent(format, b);
        }
        if (!isNumber(a) || !isNumber(b)) {
            throw new TemplateException(
                    "'" + operator + "' does not go with " + kind(a) + " and " + kind(b));
        }
        return arithmetic(operator, a, b);
    }

    private static String repeat(String s, long n) {
        if (n > 0 && s.length() * n > LONGEST) {
            throw new TemplateException("a text becomes too long");
        }
        return s.repeat((int) Math.max(0, n));
    }

    static String limited(String s) {
        if (s.length() > LONGEST) {
            throw new TemplateException("a text becomes too long");
        }
        return s;
    }

    private static Object arithmetic(String operator, Object a, Object b) {
        boolean real = a instanceof Double || b instanceof Double;
        try {
            return switch (operator) {
                case "+" ->
                        real
                                ? (Object) (number(a) + number(b))
                                : (Object) Math.addExact(whole(a), whole(b));
                case "-" ->
                        real
                                ? (Object) (number(a) - number(b))
                                : (Object) Math.subtractExact(whole(a), whole(b));
                case "*" ->
                        real
                                ? (Object) (number(a) * number(b))
                                : (Object) Math.multiplyExact(whole(a), whole(b));
                case "/" -> {
                    requireNotZero(b);
                    yield number(a) / number(b);
                }
                case "//" -> {
                    requireNotZero(b);
                    yield real
                            ? (Object) Math.floor(number(a) / number(b))
                            : (Object) Math.floorDiv(whole(a), whole(b));
                }
                case "%" -> {
                    requireNotZero(b);
                    yield real
                            ? (Object) (number(a) - Math.floor(number(a) / number(b)) * number(b))
                            : (Object) Math.floorMod(whole(a), whole(b));
                }
                case "**" -> {
                    double power = Math.pow(number(a), number(b));
                    boolean exact = !real && whole(b) >= 0 && Math.abs(power) < 1L << 53;
                    yield exact ? (Object) (long) power : (Object) power;
                }
                default -> throw new TemplateException("unknown operator " + operator);
            };
        } catch (ArithmeticException e) {
            throw new TemplateException("a number becomes too large");
        }
    }

    private static void requireNotZero(Object b) {
        if (number(b) == 0) {
            throw new TemplateException("division by zero");
        }
    }
}
