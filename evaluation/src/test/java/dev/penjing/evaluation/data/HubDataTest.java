package dev.penjing.evaluation.data;

import static dev.penjing.evaluation.data.LocalDataTest.ARC;
import static dev.penjing.evaluation.data.LocalDataTest.GSM8K;
import static dev.penjing.evaluation.data.LocalDataTest.HUMANEVAL;
import static dev.penjing.evaluation.data.LocalDataTest.XLSUM;
import static dev.penjing.evaluation.data.LocalDataTest.mmlu;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Against a hub on loopback, which has files under `REPOSITORY REVISION PATH`.
@Timeout(60)
class HubDataTest {
    private static final String CONVERTED = "refs/convert/parquet";

    private final Map<String, byte[]> files = new TreeMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    @TempDir Path home;
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private static String commit(String revision) {
        return (revision.equals("main") ? "a" : "b").repeat(40);
    }

    private static String hash(byte[] content) {
        try {
            MessageDigest git = MessageDigest.getInstance("SHA-1");
            git.update(("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(git.digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            asked.add(path);
            Optional<byte[]> body = body(path);
            if (body.isEmpty()) {
                exchange.getResponseHeaders()
                        .add(
                                "X-Error-Code",
                                path.contains("/revision/") ? "RevisionNotFound" : "RepoNotFound");
            }
            byte[] bytes = body.orElse(new byte[0]);
            exchange.sendResponseHeaders(
                    body.isPresent() ? 200 : 404, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private Optional<byte[]> body(String path) {
        for (String revision : List.of("main", CONVERTED)) {
            for (String repository :
                    List.of(
                            "allenai/ai2_arc",
                            "cais/mmlu",
                            "openai/gsm8k",
                            "openai/openai_humaneval",
                            "csebuetnlp/xlsum")) {
                String prefix = repository + " " + revision + " ";
                String api = "/api/datasets/" + repository;
                boolean known = files.keySet().stream().anyMatch(f -> f.startsWith(prefix));
                if (known && path.equals(api + "/revision/" + revision)) {
                    return text("{\"sha\": \"" + commit(revision) + "\"}");
                }
                if (known && path.equals(api + "/tree/" + commit(revision))) {
                    return text(
                            files.entrySet().stream()
                                    .filter(f -> f.getKey().startsWith(prefix))
                                    .map(f ->
                                            "{\"type\": \"file\", \"path\": \"%s\", \"size\": %d, \"oid\": \"%s\"}"
                                                    .formatted(
                                                            f.getKey().substring(prefix.length()),
                                                            f.getValue().length,
                                                            hash(f.getValue())))
                                    .collect(Collectors.joining(",", "[", "]")));
                }
                String resolve = "/datasets/%s/resolve/%s/".formatted(repository, commit(revision));
                if (path.startsWith(resolve)) {
                    return Optional.ofNullable(
                            files.get(prefix + path.substring(resolve.length())));
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<byte[]> text(String text) {
        return Optional.of(text.getBytes(StandardCharsets.UTF_8));
    }

    private void put(String repository, String revision, String path, byte[] content) {
        files.put(repository + " " + revision + " " + path, content);
    }

    private static byte[] row(String is) {
        return "{\"is\": \"%s\"}".formatted(is).getBytes(StandardCharsets.UTF_8);
    }

    private BenchmarkData data(String... more) {
        Map<String, String> environment = new TreeMap<>();
        environment.put("HF_ENDPOINT", "http://127.0.0.1:" + server.getAddress().getPort());
        environment.put("HF_HOME", home.toString());
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return BenchmarkData.of(Optional.empty(), environment, Progress.NONE);
    }

    private List<String> fetched() {
        return asked.stream()
                .filter(p -> p.contains("/resolve/"))
                .map(p -> p.replaceFirst(".*/resolve/[ab]{40}/", ""))
                .toList();
    }

    @Test
    void onlyTheSplitOfTheConfigurationIsFetched() throws IOException {
        byte[] parquet = Packed.resource("arc.parquet");
        for (String part : List.of("ARC-Challenge", "ARC-Easy")) {
            for (String split : List.of("train", "validation", "test")) {
                String path = part + "/" + split + "-00000-of-00001.parquet";
                put("allenai/ai2_arc", "main", path, parquet);
            }
        }
        put("allenai/ai2_arc", "main", "ARC-Challenge/test.jsonl", row("not Parquet"));
        put("allenai/ai2_arc", "main", "README.md", row("card"));
        assertThat(data().items(ARC, "test").getFirst().at("/choices/text/1").asString())
                .isEqualTo("water");
        assertThat(fetched()).containsExactly("ARC-Challenge/test-00000-of-00001.parquet");
        assertThat(home.resolve("hub/datasets--allenai--ai2_arc/refs/main"))
                .hasContent(commit("main"));
        asked.clear();
        assertThat(data("HF_HUB_OFFLINE", "1").items(ARC, "test")).hasSize(2);
        assertThat(asked).isEmpty();
        assertThatThrownBy(() -> data("HF_HUB_OFFLINE", "1").items(ARC, "train"))
                .isInstanceOf(PenjingException.class)
                .hasMessageContainingAll("no train split of arc_challenge", "HF_HUB_OFFLINE");
    }

    @Test
    void aRepositoryIsListedOnceForAllItsParts() {
        for (String subject : List.of("anatomy", "astronomy", "all")) {
            for (String split : List.of("dev", "test", "validation")) {
                String path = subject + "/" + split + "-00000-of-00001.jsonl";
                put("cais/mmlu", "main", path, row(subject + " " + split));
            }
        }
        BenchmarkData data = data();
        for (String subject : List.of("anatomy", "astronomy")) {
            for (String split : List.of("dev", "test")) {
                assertThat(data.items(mmlu(subject), split).getFirst().path("is").asString())
                        .isEqualTo(subject + " " + split);
            }
        }
        assertThat(asked.stream().filter(p -> p.contains("/tree/"))).hasSize(1);
        assertThat(fetched()).hasSize(4);
    }

    @Test
    void theHubsOwnParquetStandsInForOtherForms() throws IOException {
        put("csebuetnlp/xlsum", "main", "data/english_XLSum_v2.0.tar.bz2", row("archive"));
        put("csebuetnlp/xlsum", "main", "xlsum.py", row("script"));
        for (String language : List.of("english", "welsh")) {
            put(
                    "csebuetnlp/xlsum",
                    CONVERTED,
                    language + "/test/0000.parquet",
                    Packed.resource("arc.parquet"));
        }
        assertThat(data().items(XLSUM, "test")).hasSize(2);
        assertThat(fetched()).containsExactly("english/test/0000.parquet");
        assertThat(home.resolve("hub/datasets--csebuetnlp--xlsum/refs/refs/convert/parquet"))
                .hasContent(commit(CONVERTED));
        assertThat(data("HF_HUB_OFFLINE", "1").items(XLSUM, "test")).hasSize(2);
    }

    @Test
    void otherFormsAreReadWhereThereIsNoParquet() throws IOException {
        put("openai/gsm8k", "main", "main/test.jsonl", row("lines"));
        assertThat(data().items(GSM8K, "test").getFirst().path("is").asString()).isEqualTo("lines");
        put("openai/openai_humaneval", "main", "HumanEval.jsonl.gz", Packed.gzip(row("gzip")));
        assertThat(data().items(HUMANEVAL, "test").getFirst().path("is").asString())
                .isEqualTo("gzip");
    }

    @Test
    void whatIsNotThereIsSaid() {
        put("openai/gsm8k", "main", "socratic/test.jsonl", row("another"));
        assertThatThrownBy(() -> data().items(GSM8K, "test"))
                .isInstanceOf(PenjingException.class)
                .hasMessageNotContaining("\n")
                .hasMessageContainingAll(
                        "no test split of gsm8k (main)",
                        "/datasets/openai/gsm8k at main",
                        "gsm8k/test.jsonl in a folder");
        assertThatThrownBy(() -> data().items(ARC, "test"))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("allenai/ai2_arc");
    }
}
