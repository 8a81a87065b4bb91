package dev.penjing.model.template;

import java.util.List;

/// The `loop` of a loop.
final class Loop {
    private final List<Object> items;

    /// From 0.
    int index;

    private Object last = None.NONE;

    Loop(List<Object> items) {
        this.items = items;
    }

    Object attribute(String name) {
        long size = items.size();
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> size - index;
            case "revindex0" -> size - index - 1;
            case "first" -> index == 0;
            case "last" -> index == size - 1;
            case "length" -> size;
            case "depth" -> 1L;
            case "depth0" -> 0L;
            case "previtem" -> index > 0 ? items.get(index - 1) : new Undefined("previtem");
            case "nextitem" -> index + 1 < size ? items.get(index + 1) : new Undefined("nextitem");
            case "cycle" ->
                    (Callable) (p, n) -> Methods.argument(p, p.isEmpty() ? 0 : index % p.size());
            case "changed" ->
                    (Callable)
                            (p, n) -> {
                                Object before = last;
                                last = p;
                                return !PythonValues.equal(before, p);
                            };
            default -> throw new TemplateException("loop." + name + " is not known here");
        };
    }
}
