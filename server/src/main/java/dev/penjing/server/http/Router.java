package dev.penjing.server.http;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Which handler answers which path and method. Paths are exact, but for those whose last part is
/// free, and for the ways in which clients miss a path (see `canonical`).
public final class Router {
    private static final String VERSION = "/v1";

    private final Map<String, Map<String, Consumer<Exchange>>> exact = new LinkedHashMap<>();
    private final Map<String, Map<String, BiConsumer<Exchange, String>>> open =
            new LinkedHashMap<>();
    private final Map<String, String> aliases = new LinkedHashMap<>();

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

    /// Another name of an exact path.
    public Router alias(String name, String path) {
        aliases.put(name, path);
        return this;
    }

    /// The path that is meant: without slashes at its end, and with or without `/v1`, since clients
    /// are given a base address with it, without it, or have it twice. As it is if that leads
    /// nowhere.
    public String canonical(String path) {
        int end = path.length();
        while (end > 1 && path.charAt(end - 1) == '/') {
            end--;
        }
        String bare = path.substring(0, end);
        String known = aliases.getOrDefault(bare, bare);
        Stream<String> meant =
                known.startsWith(VERSION + "/")
                        ? Stream.of(known, known.substring(VERSION.length()))
                        : Stream.of(known, VERSION + known);
        return meant.filter(this::leads).findFirst().orElse(path);
    }

    private boolean leads(String path) {
        return exact.containsKey(path) || prefix(path).isPresent();
    }

    private Optional<String> prefix(String path) {
        return open.keySet().stream()
                .filter(prefix -> path.startsWith(prefix) && path.length() > prefix.length())
                .findFirst();
    }

    /// The path of the handler that answers, for counts: never the client's own, of which there may
    /// be any number. `other` if there is none.
    public String pattern(String path) {
        String meant = canonical(path);
        if (exact.containsKey(meant)) {
            return meant;
        }
        return prefix(meant).map(prefix -> prefix + "{name}").orElse("other");
    }

    /// @throws ApiException 404 or 405
    public void route(Exchange exchange) {
        String path = canonical(exchange.path());
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
        String prefix = prefix(path).orElseThrow(() -> notFound(path));
        Map<String, BiConsumer<Exchange, String>> under = open.getOrDefault(prefix, Map.of());
        BiConsumer<Exchange, String> handler = under.get(method);
        if (handler == null) {
            throw notAllowed(exchange, under.keySet());
        }
        handler.accept(exchange, path.substring(prefix.length()));
    }

    private ApiException notFound(String path) {
        String nearest =
                exact.keySet().stream()
                        .filter(p -> p.length() > 1)
                        .filter(p -> near(p, path))
                        .min(Comparator.comparingInt(p -> Spelling.distance(p, path)))
                        .map(p -> "did you mean %s? See".formatted(p))
                        .orElse("see");
        return ApiException.invalid(
                404,
                "not_found",
                "There is nothing at this path: %s /docs for what there is.".formatted(nearest));
    }

    /// Whether no more than a third of its letters is wrong. A long path is not measured: that
    /// takes time.
    private static boolean near(String path, String asked) {
        return asked.length() <= 2 * path.length()
                && 3 * Spelling.distance(path, asked) <= path.length();
    }

    private static ApiException notAllowed(Exchange exchange, Set<String> methods) {
        exchange.header("allow", String.join(", ", methods));
        return ApiException.invalid(
                405,
                "method_not_allowed",
                "This path takes %s.".formatted(String.join(", ", methods)));
    }
}
