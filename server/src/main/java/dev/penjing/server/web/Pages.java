package dev.penjing.server.web;

import dev.penjing.inference.Engine;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.ApiKeys;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The playground and the documentation: files of ours alone, which load nothing from elsewhere.
public final class Pages {
    private static final String HTML = "text/html; charset=utf-8";
    private static final Map<String, String> TYPES =
            Map.of(
                    "html", HTML,
                    "css", "text/css; charset=utf-8",
                    "js", "text/javascript; charset=utf-8",
                    "svg", "image/svg+xml",
                    "json", "application/json");
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// A report draws itself with styles of its own, runs no script, and is shown inside our page.
    private static final String REPORT_POLICY =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox";

    private final ServedModels models;
    private final String version;
    private final ApiKeys keys;

    /// What lets a frame, which can send no key, show a report: told only to those who have one.
    private final String ticket = UUID.randomUUID().toString();

    private final int defaultMaxTokens;
    private final List<String> examples;

    /// @param examples of what to ask
    public Pages(
            ServedModels models,
            String version,
            ApiKeys keys,
            int defaultMaxTokens,
            List<String> examples) {
        this.models = models;
        this.version = version;
        this.keys = keys;
        this.defaultMaxTokens = defaultMaxTokens;
        this.examples = examples;
    }

    /// @param folder of the server's pages
    /// @param name of a file in it
    public void file(Exchange exchange, String folder, String name) {
        int dot = name.lastIndexOf('.');
        String type = TYPES.get(name.substring(dot + 1));
        if (type == null || !name.matches("[a-z][a-z0-9-]*\\.[a-z]+")) {
            throw missing();
        }
        String path = "/dev/penjing/server/" + (folder.isEmpty() ? "" : folder + "/") + name;
        try (InputStream in = Pages.class.getResourceAsStream(path)) {
            if (in == null) {
                throw missing();
            }
            exchange.header("content-security-policy", POLICY);
            exchange.header("referrer-policy", "no-referrer");
            exchange.send(200, type, in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ApiException missing() {
        return ApiException.invalid(404, "not_found", "There is no such file.");
    }

    /// The report of the compression that made a model.
    public void report(Exchange exchange) {
        boolean known = exchange.query("ticket").equals(Optional.of(ticket));
        if (!known) {
            keys.check(exchange.header("authorization"));
        }
        String id = exchange.query("model").orElse("");
        Optional<Path> report = models.get(id).report();
        try {
            byte[] bytes = Files.readAllBytes(report.orElseThrow(Pages::missing));
            exchange.header("content-security-policy", REPORT_POLICY);
            exchange.send(200, HTML, bytes);
        } catch (IOException e) {
            throw missing();
        }
    }

    /// What the playground builds its panels from. Without the key that is needed it tells only
    /// that one is.
    public void info(Exchange exchange) {
        ObjectNode body = HttpJson.object();
        body.put("version", version);
        body.put("key_required", keys.required());
        ArrayNode list = body.putArray("models");
        if (keys.known(exchange.header("authorization"))) {
            models.all().forEach(model -> list.add(model(model)));
        }
        body.set("parameters", parameters());
        examples.forEach(body.putArray("examples")::add);
        exchange.send(200, body);
    }

    private ObjectNode model(ServedModel model) {
        ObjectNode node = HttpJson.object();
        node.put("id", model.id());
        node.put("state", model.state().name().toLowerCase(Locale.ROOT));
        node.put("message", model.message());
        if (model.report().isPresent()) {
            node.put(
                    "report",
                    "/playground/report?model=%s&ticket=%s"
                            .formatted(
                                    URLEncoder.encode(model.id(), StandardCharsets.UTF_8), ticket));
        }
        Optional<Engine> loaded = model.loaded();
        node.put("chat", loaded.map(Engine::hasChatTemplate).orElse(false));
        loaded.ifPresent(engine -> {
            node.put("parameters", engine.config().parameters());
            node.put("non_embedding_parameters", engine.config().nonEmbeddingParameters());
            node.put("context", engine.contextLength());
            node.put("quantization", engine.quantization());
            node.put("weight_bytes", engine.weightBytes());
            node.put("cache_bytes", engine.cacheBytes());
        });
        return node;
    }

    private ArrayNode parameters() {
        int context =
                models.all().stream()
                        .flatMap(m -> m.loaded().stream())
                        .mapToInt(Engine::contextLength)
                        .min()
                        .orElse(4096);
        int tokens = Math.min(defaultMaxTokens, context - 1);
        ArrayNode all = HttpJson.array();
        number(
                        all,
                        "temperature",
                        0,
                        2,
                        "How freely words are chosen: 0 always takes the likeliest.")
                .put("default", 1);
        integer(all, "max_tokens", 1, context - 1, "The longest answer, in tokens.")
                .put("default", tokens);
        number(
                        all,
                        "top_p",
                        0,
                        1,
                        "Choose among the likeliest words whose probabilities reach this sum.")
                .put("default", 1);
        integer(all, "top_k", 0, 1000, "Choose among so many likeliest words; 0 for all.")
                .put("default", 0);
        number(all, "min_p", 0, 1, "Leave out words less likely than this share of the likeliest.")
                .put("default", 0);
        number(
                        all,
                        "frequency_penalty",
                        -2,
                        2,
                        "Makes a word less likely each time that it was said.")
                .put("default", 0);
        number(all, "presence_penalty", -2, 2, "Makes a word less likely once it was said.")
                .put("default", 0);
        number(
                        all,
                        "repetition_penalty",
                        0.01,
                        2,
                        "Divides the weight of words that were there; 1 changes nothing.")
                .put("default", 1);
        integer(all, "seed", 0, Integer.MAX_VALUE, "The same seed gives the same answer.");
        all.addObject()
                .put("name", "stop")
                .put("type", "strings")
                .put("max_items", 4)
                .put("description", "Texts at which the answer ends.");
        return all;
    }

    private static ObjectNode number(
            ArrayNode all, String name, double least, double most, String description) {
        return all.addObject()
                .put("name", name)
                .put("type", "number")
                .put("minimum", least)
                .put("maximum", most)
                .put("description", description);
    }

    private static ObjectNode integer(
            ArrayNode all, String name, int least, int most, String description) {
        return all.addObject()
                .put("name", name)
                .put("type", "integer")
                .put("minimum", least)
                .put("maximum", most)
                .put("description", description);
    }
}
