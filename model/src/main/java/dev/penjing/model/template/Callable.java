package dev.penjing.model.template;

import java.util.List;
import java.util.Map;

/// What can be called.
interface Callable {
    Object call(List<Object> positional, Map<String, Object> named);
}
