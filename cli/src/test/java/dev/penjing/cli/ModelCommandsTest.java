package dev.penjing.cli;

import static dev.penjing.cli.CommandLines.TEACHER;
import static dev.penjing.cli.CommandLines.runWith;
import static dev.penjing.cli.CommandLines.start;
import static dev.penjing.cli.CommandLines.succeed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Commands that use a model as it is, on the bundled teacher.
@Timeout(600)
class ModelCommandsTest {
    private static final JsonMapper JSON = JsonMapper.shared();

    @TempDir Path folder;

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    /// A text of the teacher's world, small.
    private Path text() throws IOException {
        succeed("world", "--to", at("world"), "--megabytes", "1", "--seed", "77");
        List<String> lines = Files.readAllLines(folder.resolve("world/heldout.jsonl"));
        return Files.write(folder.resolve("text.jsonl"), lines.subList(0, 20));
    }

    /// Eight bits lose next to nothing and take half of the teacher's bfloat16; what is imported
    /// again computes what the file did.
    @Test
    void quantizesAndImports() throws IOException {
        JsonNode eight =
                succeed(
                                "quantize",
                                TEACHER,
                                "--type",
                                "q8_0",
                                "--to",
                                at("eight.gguf"),
                                "--data",
                                text().toString(),
                                "--json")
                        .json();
        assertThat(eight.path("bytes").asLong())
                .isEqualTo(Files.size(folder.resolve("eight.gguf")))
                .isBetween(3_400_000L, 3_800_000L);
        double before = eight.path("perplexity_before").asDouble();
        assertThat(before).isCloseTo(2.64, within(0.05));
        assertThat(eight.path("perplexity").asDouble()).isCloseTo(before, within(0.01));
        JsonNode four =
                succeed("quantize", TEACHER, "--type", "q4_0", "--to", at("four.gguf"), "--json")
                        .json();
        assertThat(four.path("bytes").asLong()).isLessThan(eight.path("bytes").asLong() * 6 / 10);

        succeed("import", at("eight.gguf"), "--to", at("imported"));
        String[] logits = {"logits", "", "--ids", "5,9,300,41,7", "--threads", "1", "--json"};
        logits[1] = TEACHER;
        JsonNode expected = succeed(logits).json();
        logits[1] = at("imported");
        JsonNode got = succeed(logits).json();
        assertThat(got.path("argmax")).isEqualTo(expected.path("argmax"));
        assertThat(succeed("inspect", at("imported"), "--json").json().path("parameters").asLong())
                .isEqualTo(3_344_640);
    }

    @Test
    void trainsATokenizer() throws IOException {
        Path text = text();
        succeed(
                "tokenizer",
                "--data",
                text.toString(),
                "--vocab-size",
                "400",
                "--special",
                "<end>,<pad>",
                "--to",
                at("tokenizer"));
        Tokenizer tokenizer = Tokenizers.load(folder.resolve("tokenizer"));
        assertThat(tokenizer.vocabularySize()).isEqualTo(400);
        assertThat(tokenizer.id("<end>")).isPresent();
        String sentence = "One day Ada went to work. Grüße 🪴";
        int[] ids = tokenizer.encode(sentence);
        assertThat(tokenizer.decode(ids, false)).isEqualTo(sentence);
        // it has learned from the text: common words are no longer single bytes
        assertThat(tokenizer.encode(" Ada went to work").length)
                .isLessThan(" Ada went to work".length() - 4);
    }

    @Test
    void chats() {
        String input = "Where does Cora live?\n/history\n/new\nWhere does Cora live?\n/quit\n";
        CommandLines.Outcome outcome =
                runWith(input, "chat", TEACHER, "--max-new-tokens", "24", "--threads", "1");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        List<String> answers =
                outcome.out().lines().filter(line -> line.startsWith("> Cora")).toList();
        assertThat(answers).as(outcome.out()).hasSize(2);
        assertThat(answers.getFirst()).isEqualTo(answers.getLast()).contains("lives");
        assertThat(outcome.out())
                .contains(
                        "user: Where does Cora live?",
                        "assistant: " + answers.getFirst().substring(2))
                .contains("(forgotten)", " tokens/s, first after ");
    }

    /// Starts, answers as OpenAI's clients ask, and ends when it is told to.
    @Test
    void serves() throws IOException, InterruptedException {
        Process server =
                start(Map.of(), "serve", "small=" + TEACHER, "--port", "0", "--threads", "1");
        try (BufferedReader said = server.inputReader();
                HttpClient client = HttpClient.newHttpClient()) {
            StringBuilder log = new StringBuilder();
            String address = "";
            for (String line = said.readLine();
                    line != null && address.isEmpty();
                    line = said.readLine()) {
                log.append(line).append('\n');
                if (line.contains("ready: open ")) {
                    address = line.replaceAll(".*ready: open (http://[^ \"]+).*", "$1");
                    break;
                }
            }
            assertThat(address).as(log.toString()).startsWith("http://");
            HttpResponse<String> answer =
                    client.send(
                            HttpRequest.newBuilder(URI.create(address + "/v1/chat/completions"))
                                    .header("Content-Type", "application/json")
                                    .POST(
                                            HttpRequest.BodyPublishers.ofString(
                                                    """
                                                    {"model": "small", "temperature": 0, "max_tokens": 24,
                                                     "messages": [{"role": "user", "content": "Where does Cora live?"}]}
                                                    """))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            JsonNode json = JSON.readTree(answer.body());
            assertThat(json.path("model").asString()).isEqualTo("small");
            assertThat(json.at("/choices/0/message/content").asString()).contains("Cora lives");
            // not `Process.destroy`, which closes the stream that is read here
            server.toHandle().destroy();
            assertThat(said.lines().toList()).anyMatch(line -> line.contains("ending"));
            assertThat(server.waitFor(120, TimeUnit.SECONDS)).isTrue();
        } finally {
            server.destroyForcibly();
        }
    }

    /// From a hub on loopback: what is a model's comes, and nothing else.
    @Test
    void pulls() throws IOException, InterruptedException {
        Map<String, byte[]> files = new TreeMap<>();
        for (String name : List.of("config.json", "tokenizer.json", "model.safetensors")) {
            files.put(name, Files.readAllBytes(Path.of(TEACHER).resolve(name)));
        }
        files.put("pytorch_model.bin", new byte[1000]);
        HttpServer hub =
                HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        hub.createContext("/", exchange -> hub(exchange, files));
        hub.start();
        try {
            Process pull =
                    start(
                            Map.of(
                                    "HF_ENDPOINT",
                                    "http://127.0.0.1:" + hub.getAddress().getPort(),
                                    "HF_HOME",
                                    at("home")),
                            "pull",
                            "hf:org/name",
                            "--to",
                            at("pulled"));
            String said = pull.inputReader().readAllAsString();
            assertThat(pull.waitFor()).as(said).isZero();
        } finally {
            hub.stop(0);
        }
        assertThat(folder.resolve("pulled/pytorch_model.bin")).doesNotExist();
        assertThat(folder.resolve("pulled/model.safetensors"))
                .hasBinaryContent(files.get("model.safetensors"));
        assertThat(succeed("inspect", at("pulled"), "--json").json().path("parameters").asLong())
                .isEqualTo(3_344_640);
    }

    private static void hub(HttpExchange exchange, Map<String, byte[]> files) throws IOException {
        String commit = "0123456789abcdef0123456789abcdef01234567";
        String path = exchange.getRequestURI().getPath();
        String file = path.replaceFirst("/org/name/resolve/" + commit + "/", "");
        byte[] body;
        int status = 200;
        if (path.equals("/api/models/org/name/revision/main")) {
            body =
                    "{\"id\": \"org/name\", \"sha\": \"%s\"}"
                            .formatted(commit)
                            .getBytes(StandardCharsets.UTF_8);
        } else if (path.equals("/api/models/org/name/tree/" + commit)) {
            List<String> entries = new ArrayList<>();
            files.forEach((name, bytes) ->
                    entries.add(
                            "{\"type\": \"file\", \"path\": \"%1$s\", \"size\": %2$d, \"oid\": \"x\", \"lfs\": {\"oid\": \"%3$s\", \"size\": %2$d, \"pointerSize\": 134}}"
                                    .formatted(name, bytes.length, sha256(bytes))));
            body = ("[" + String.join(",", entries) + "]").getBytes(StandardCharsets.UTF_8);
        } else if (files.containsKey(file)) {
            body = files.getOrDefault(file, new byte[0]);
            exchange.getResponseHeaders().add("X-Repo-Commit", commit);
            exchange.getResponseHeaders().add("ETag", '"' + sha256(body) + '"');
        } else {
            body = new byte[0];
            status = 404;
        }
        try (exchange) {
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().add("Content-Length", Integer.toString(body.length));
                exchange.sendResponseHeaders(status, -1);
            } else {
                exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
                exchange.getResponseBody().write(body);
            }
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
