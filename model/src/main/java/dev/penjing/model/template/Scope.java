package dev.penjing.model.template;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Names and their values; what is not here is looked up outside.
final class Scope {
    final Map<String, Object> values = new HashMap<>();
    private final Optional<Scope> outer;

    Scope(Optional<Scope> outer) {
        this.outer = outer;
    }

    Object get(String name) {
        Object value = values.get(name);
        if (value != null) {
            return value;
        }
        return outer.isPresent() ? outer.get().get(name) : new Undefined(name);
    }
}
