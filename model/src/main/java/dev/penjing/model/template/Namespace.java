package dev.penjing.model.template;

import java.util.HashMap;
import java.util.Map;

/// `namespace()`: attributes that can be set from within a loop.
final class Namespace {
    final Map<String, Object> attributes = new HashMap<>();
}
