package dev.penjing.model.template;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Values as Python's `json.dumps` writes them.
///
/// @param indent what a level is indented by; empty for all on one line
record PythonJson(
        Optional<String> indent,
        String itemSeparator,
        String keySeparator,
        boolean ascii,
        boolean sorted) {
    String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out, 0);
        return PythonValues.limited(out.toString());
    }

    private void write(Object value, StringBuilder out, int depth) {
        if (depth > 100 || out.length() > 1 << 24) {
            throw new TemplateException("tojson: the value is too large");
        }
        switch (value) {
            case None n -> out.append("null");
            case Boolean b -> out.append(b.booleanValue());
            case Long n -> out.append(n.longValue());
            case Double d ->
                    out.append(
                            PythonValues.real(d).replace("nan", "NaN").replace("inf", "Infinity"));
            case String s -> text(s, out);
            case List<?> list -> {
                out.append('[');
                int i = 0;
                for (Object item : list) {
                    out.append(i++ > 0 ? itemSeparator : "");
                    newline(out, depth + 1);
                    write(item, out, depth + 1);
                }
                if (i > 0) {
                    newline(out, depth);
                }
                out.append(']');
            }
            case Map<?, ?> map -> {
                out.append('{');
                int i = 0;
                for (Map.Entry<?, ?> entry :
                        (sorted ? new TreeMap<Object, Object>(map) : map).entrySet()) {
                    out.append(i++ > 0 ? itemSeparator : "");
                    newline(out, depth + 1);
                    text(PythonValues.text(entry.getKey()), out);
                    out.append(keySeparator);
                    write(entry.getValue(), out, depth + 1);
                }
                if (i > 0) {
                    newline(out, depth);
                }
                out.append('}');
            }
            default ->
                    throw new TemplateException(
                            "tojson: " + PythonValues.kind(value) + " is no JSON");
        }
    }

    private void newline(StringBuilder out, int depth) {
        indent.ifPresent(by -> out.append('\n').repeat(by, depth));
    }

    private void text(String s, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 32 || ascii && c > 126) {
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
