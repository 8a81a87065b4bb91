package dev.penjing.server.http;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// Which handler answers which path and method. Paths are exact, but for those whose last part is
/// free.
public final class Router {
    private final Map<String, Map<String, Consumer<Exchange>>> exact = new LinkedHashMap<>();
    private final Map<String, Map<String, BiConsumer<Exchange, String>>> open =
            new LinkedHashMap<>();

    public Router get(String path, Consumer<Exchange> handler) {
        return add("GET", path, handler);
    }

    public Router post(String path, Consumer<Exchange> handler) {
        return add("POST", path, handler);
    }

    private Router add(String method, String path, Consumer<Exchange> handler) {
        exact.computeIfAbsent(path, p -> new TreeMap<>()).put(method, handler);
        return this;
    }

    /// @param prefix ends in a slash; what follows it is given to the handler, and is not empty
    public Router getUnder(String prefix, BiConsumer<Exchange, String> handler) {
        return addUnder("GET", prefix, handler);
    }

    /// As `getUnder`.
    public Router deleteUnder(String prefix, BiConsumer<Exchange, String> handler) {
        return addUnder("DELETE", prefix, handler);
    }

    private Router addUnder(String method, String prefix, BiConsumer<Exchange, String> handler) {
        open.computeIfAbsent(prefix, p -> new TreeMap<>()).put(method, handler);
        return this;
    }

    /// The path of the handler that answers, for counts: never the client's own, of which there may
    /// be any number. `other` if there is none.
    public String pattern(String path) {
        if (exact.containsKey(path)) {
            return path;
        }
        return open.keySet().stream()
                .filter(prefix -> path.startsWith(prefix) && path.length() > prefix.length())
                .findFirst()
                .map(prefix -> prefix + "{name}")
                .orElse("other");
    }

    /// @throws ApiException 404 or 405
    public void route(Exchange exchange) {
        String path = exchange.path();
        String method = exchange.method().equals("HEAD") ? "GET" : exchange.method();
        Map<String, Consumer<Exchange>> methods = exact.get(path);
        if (methods != null) {
            Consumer<Exchange> handler = methods.get(method);
            if (handler == null) {
                throw notAllowed(exchange, methods.keySet());
            }
            handler.accept(exchange);
            return;
        }
        for (Map.Entry<String, Map<String, BiConsumer<Exchange, String>>> entry : open.entrySet()) {
            String prefix = entry.getKey();
            if (path.startsWith(prefix) && path.length() > prefix.length()) {
                BiConsumer<Exchange, String> handler = entry.getValue().get(method);
                if (handler == null) {
                    throw notAllowed(exchange, entry.getValue().keySet());
                }
                handler.accept(exchange, path.substring(prefix.length()));
                return;
            }
        }
        throw ApiException.invalid(
                404, "not_found", "There is nothing at this path: see /docs for what there is.");
    }

    private static ApiException notAllowed(Exchange exchange, Set<String> methods) {
        exchange.header("allow", String.join(", ", methods));
        return ApiException.invalid(
                405,
                "method_not_allowed",
                "This path takes %s.".formatted(String.join(", ", methods)));
    }
}
