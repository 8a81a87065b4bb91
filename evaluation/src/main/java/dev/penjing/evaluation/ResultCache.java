package dev.penjing.evaluation;

import dev.penjing.evaluation.metrics.LogLikelihoods;
import dev.penjing.model.PenjingException;
import dev.penjing.model.identity.Fingerprint;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import java.io.IOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What a model has already answered, in a file of JSON lines that only grows: a request's hash and
/// the likelihood or the new ids. A line that was cut off, or holds a number that is not finite, is
/// as if it were not there.
public final class ResultCache implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Map<String, JsonNode> known = new HashMap<>();
    private final Optional<Writer> file;

    private ResultCache(Optional<Writer> file) {
        this.file = file;
    }

    /// Keeps nothing beyond the process.
    public static ResultCache none() {
        return new ResultCache(Optional.empty());
    }

    /// The results of the model that is named `key`, in `folder`.
    ///
    /// @throws PenjingException if the file cannot be read or written
    public static ResultCache of(Path folder, String key) {
        Path path = folder.resolve(key + ".jsonl");
        try {
            Files.createDirectories(folder);
            Map<String, JsonNode> known = Files.exists(path) ? read(path) : Map.of();
            Writer writer =
                    Files.newBufferedWriter(
                            path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            if (Files.size(path) > 0) {
                // ends a line that was cut off
                writer.write('\n');
            }
            ResultCache cache = new ResultCache(Optional.of(writer));
            cache.known.putAll(known);
            return cache;
        } catch (IOException e) {
            throw new PenjingException(
                    "cannot keep results in %s: %s; give another `cacheDir`, or say `noCache`"
                            .formatted(path, e.getMessage()),
                    e);
        }
    }

    private static Map<String, JsonNode> read(Path path) throws IOException {
        Map<String, JsonNode> known = new HashMap<>();
        try (Stream<String> lines = Files.lines(path, StandardCharsets.ISO_8859_1)) {
            lines.forEach(line -> {
                try {
                    JsonNode json = JSON.readTree(line);
                    String key = json.path("key").asString("");
                    JsonNode value = json.path("value");
                    // a number too large for Java is read as infinite
                    boolean finite = value.isNumber() && Double.isFinite(value.asDouble());
                    if (finite || value.isArray()) {
                        known.put(key, value);
                    }
                } catch (JacksonException e) {
                    // cut off
                }
            });
        }
        return known;
    }

    static String key(ScoredText text) {
        return hash(Fingerprint.of("likelihood", 1).with("from", text.from()).sha256(), text.ids());
    }

    /// @param ends ids that end an answer, which the model's files name beside its weights
    static String key(Prompt prompt, GenerationSettings generation, Set<Integer> ends) {
        Prompt.Draw draw = prompt.draw();
        return hash(
                Fingerprint.of("text", 1)
                        .with("max_new_tokens", prompt.maxNewTokens())
                        .with("temperature", draw.temperature())
                        .with("top_p", draw.topP())
                        .with("seed", draw.seed())
                        .with("until", GenerationSettings.stops(generation.until()))
                        .with("until_special", generation.untilSpecial())
                        .with("ends", new TreeSet<>(ends).toString())
                        .sha256(),
                prompt.ids());
    }

    private static String hash(String what, int[] ids) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(what.getBytes(StandardCharsets.UTF_8));
            ByteBuffer bytes = ByteBuffer.allocate(4 * ids.length);
            bytes.asIntBuffer().put(ids);
            digest.update(bytes.array());
            return HexFormat.of().formatHex(Arrays.copyOf(digest.digest(), 16));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    boolean has(List<String> keys) {
        return known.keySet().containsAll(keys);
    }

    double likelihood(String key) {
        return value(key).asDouble();
    }

    int[] ids(String key) {
        JsonNode array = value(key);
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.get(i).asInt();
        }
        return ids;
    }

    private JsonNode value(String key) {
        JsonNode value = known.get(key);
        if (value == null) {
            throw new IllegalStateException("no result " + key);
        }
        return value;
    }

    /// @throws PenjingException if it is not finite: nothing is kept then
    void put(String key, double likelihood) {
        LogLikelihoods.requireFinite(likelihood);
        put(key, JSON.getNodeFactory().numberNode(likelihood));
    }

    void put(String key, int[] ids) {
        put(key, JSON.valueToTree(ids));
    }

    private void put(String key, JsonNode value) {
        known.put(key, value);
        if (file.isPresent()) {
            ObjectNode line = JSON.createObjectNode().put("key", key);
            line.set("value", value);
            try {
                file.get().write(line + "\n");
            } catch (IOException e) {
                throw new PenjingException("cannot keep results: " + e.getMessage(), e);
            }
        }
    }

    /// Hands what was put to the system.
    void flush() {
        if (file.isPresent()) {
            try {
                file.get().flush();
            } catch (IOException e) {
                throw new PenjingException("cannot keep results: " + e.getMessage(), e);
            }
        }
    }

    @Override
    public void close() {
        if (file.isPresent()) {
            try {
                file.get().close();
            } catch (IOException e) {
                throw new PenjingException("cannot keep results: " + e.getMessage(), e);
            }
        }
    }
}
