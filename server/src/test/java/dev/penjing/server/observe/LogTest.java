package dev.penjing.server.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.server.settings.Settings;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Handler;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class LogTest {
    private static final Clock NOON =
            Clock.fixed(Instant.parse("2026-01-02T12:00:00.5Z"), ZoneOffset.UTC);
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private Log log(Log.Level least, boolean json) {
        return new Log(least, json, new PrintStream(bytes, false, StandardCharsets.UTF_8), NOON);
    }

    private String written() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static AccessLog.Entry entry(String path, String client, int status) {
        return new AccessLog.Entry(
                "req-1",
                Optional.empty(),
                client,
                "POST",
                path,
                status,
                0.25,
                Optional.empty(),
                Optional.of(
                        new AccessLog.Answer(
                                "student",
                                12,
                                4,
                                50,
                                0.001,
                                Optional.of(0.02),
                                "stop",
                                Optional.of(new AccessLog.Texts("my secret\nplan", "is safe")))),
                Set.of(),
                false);
    }

    @Test
    void aLineForPeople() {
        new AccessLog(log(Log.Level.INFO, false), false)
                .log(entry("/v1/chat/completions", "127.0.0.1", 200));

        assertThat(written())
                .isEqualTo(
                        "2026-01-02T12:00:00.500Z info request request_id=req-1 client=127.0.0.1"
                                + " method=POST path=/v1/chat/completions status=200 seconds=0.2500"
                                + " model=student prompt_tokens=12 cached_tokens=4"
                                + " completion_tokens=50 queue_seconds=0.0010"
                                + " first_token_seconds=0.0200 finish_reason=stop\n");
    }

    @Test
    void aLineAsJson() {
        new AccessLog(log(Log.Level.INFO, true), false)
                .log(entry("/v1/chat/completions", "127.0.0.1", 200));

        assertThat(written()).endsWith("}\n");
        assertThat(written().lines()).hasSize(1);
        JsonNode line = JSON.readTree(written());
        assertThat(line.get("timestamp").stringValue()).isEqualTo("2026-01-02T12:00:00.500Z");
        assertThat(line.get("level").stringValue()).isEqualTo("info");
        assertThat(line.get("status").intValue()).isEqualTo(200);
        assertThat(line.get("completion_tokens").intValue()).isEqualTo(50);
        assertThat(line.get("first_token_seconds").doubleValue()).isEqualTo(0.02);
        assertThat(line.has("trace_id")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void textsAreThereOnlyIfAskedFor(boolean json) {
        new AccessLog(log(Log.Level.DEBUG, json), false).log(entry("/", "::1", 500));
        assertThat(written()).doesNotContain("secret").doesNotContain("is safe");

        new AccessLog(log(Log.Level.DEBUG, json), true).log(entry("/", "::1", 500));
        assertThat(written()).contains("my secret\\nplan").contains("is safe");
        assertThat(written().lines()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/\n2026-01-02T12:00:00.500Z info request status=200",
                "/\r\nforged",
                "/ status=200 model=forged",
                "/\" status=200 x=\"",
                "/\\\" status=200",
                "/\",\"status\":\"200",
                "/\u001b[2K\u001b[1Aforged",
                "/\u0085\u2028\u2029forged",
                "/\u202eforged",
                "/\u0000\u007fé"
            })
    void whatAClientSendsStaysInItsField(String hostile) {
        new AccessLog(log(Log.Level.INFO, false), true).log(entry(hostile, hostile, 404));
        String line = written();

        assertThat(line).endsWith("\n").doesNotContain("\r");
        assertThat(line.substring(0, line.length() - 1)).matches("[ -~]*");
        assertThat(fields(line).get("status")).isEqualTo("404");
        assertThat(fields(line).get("model")).isEqualTo("student");

        bytes.reset();
        new AccessLog(log(Log.Level.INFO, true), true).log(entry(hostile, hostile, 404));
        line = written();
        assertThat(line.substring(0, line.length() - 1)).matches("[ -~\u007f]*");
        JsonNode object = JSON.readTree(line);
        assertThat(object.get("path").stringValue()).isEqualTo(hostile);
        assertThat(object.get("status").intValue()).isEqualTo(404);
    }

    /// `name=value` pairs as a program would read them; a name that comes twice is an error.
    private static Map<String, String> fields(String line) {
        Map<String, String> fields = new java.util.HashMap<>();
        var matcher =
                java.util.regex.Pattern.compile(" ([a-z_]+)=(\"(?:[^\"\\\\]|\\\\.)*\"|[^ \"]+)")
                        .matcher(line);
        while (matcher.find()) {
            assertThat(fields.put(matcher.group(1), matcher.group(2).strip())).isNull();
        }
        return fields;
    }

    @Test
    void longPathsAreCut() {
        new AccessLog(log(Log.Level.INFO, false), false)
                .log(entry("/" + "a".repeat(9000), "::1", 404));
        assertThat(written().length()).isLessThan(1000);
        assertThat(written()).contains("aaa...").contains("status=404");
    }

    @Test
    void probesAreQuiet() {
        AccessLog.Entry probe =
                new AccessLog.Entry(
                        "r",
                        Optional.empty(),
                        "::1",
                        "GET",
                        "/v1/health/live",
                        200,
                        0.001,
                        Optional.empty(),
                        Optional.empty(),
                        Set.of(),
                        true);
        new AccessLog(log(Log.Level.INFO, false), false).log(probe);
        assertThat(written()).isEmpty();
        new AccessLog(log(Log.Level.DEBUG, false), false).log(probe);
        assertThat(written()).contains(" debug request ");
    }

    @Test
    void lessSeriousLinesAreLeftOut() {
        Log log = log(Log.Level.ERROR, false);
        log.info("a");
        log.warning("b");
        log.error("c");
        new AccessLog(log, false).log(entry("/", "::1", 200));
        new AccessLog(log, false).log(entry("/", "::1", 503));
        assertThat(written().lines())
                .satisfiesExactly(
                        l -> assertThat(l).endsWith(" error c"),
                        l -> assertThat(l).contains(" error request ").contains("status=503"));
    }

    @Test
    void stackTracesStayInOneLine() {
        log(Log.Level.INFO, false)
                .error("it\nfailed", new IllegalStateException("x\n2026 info forged"));
        assertThat(written().lines()).hasSize(1);
        assertThat(written())
                .startsWith("2026-01-02T12:00:00.500Z error it\\nfailed error=\"java.lang.Illegal")
                .contains("x\\n2026 info forged\\n");
    }

    @Test
    void aFieldCannotReplaceTheLinesOwn() {
        log(Log.Level.INFO, true).line(Log.Level.INFO, "m", Map.of("level", "critical"));
        assertThat(JSON.readTree(written()).get("level").stringValue()).isEqualTo("info");
    }

    @Test
    void linesOfManyThreadsDoNotMix() throws InterruptedException {
        Log log = log(Log.Level.INFO, true);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 500; i++) {
                int number = i;
                threads.execute(
                        () -> log.line(Log.Level.INFO, "x".repeat(200), Map.of("n", number)));
            }
        }
        assertThat(written().lines().map(l -> JSON.readTree(l).get("n").intValue()).distinct())
                .hasSize(500);
    }

    @Test
    void settingsSayHow() {
        Settings settings =
                Settings.resolve(
                        Map.of("log-level", "WARNING", "jsonl-logging", "1"),
                        Map.of(),
                        Optional.empty());
        Log log = Log.of(settings, new PrintStream(bytes, true, StandardCharsets.UTF_8));
        log.info("no");
        log.warning("yes");
        assertThat(JSON.readTree(written()).get("message").stringValue()).isEqualTo("yes");
    }

    @Test
    void whatLibrariesLogComesHereToo() {
        Logger root = Logger.getLogger("");
        Handler[] before = root.getHandlers();
        var level = root.getLevel();
        try {
            log(Log.Level.INFO, false).takeOver();
            Logger.getLogger("lib").fine("too fine");
            Logger.getLogger("lib").log(java.util.logging.Level.WARNING, "odd {0}", "thing\n");
            assertThat(written())
                    .isEqualTo("2026-01-02T12:00:00.500Z warning odd thing\\n logger=lib\n");
        } finally {
            for (Handler handler : root.getHandlers()) {
                root.removeHandler(handler);
            }
            for (Handler handler : before) {
                root.addHandler(handler);
            }
            root.setLevel(level);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "req-1", "A.b_C-9", "0af7651916cd43dd8448eb211c80319c"})
    void harmlessIdsAreKept(String id) {
        assertThat(RequestIds.of(Optional.of(id))).isEqualTo(id);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "a\nb", "a\n", "<b>", "é", "a;b", "a=b"})
    void otherIdsAreReplaced(String id) {
        assertThat(RequestIds.of(Optional.of(id))).matches("req-[0-9a-f]{32}");
    }

    @Test
    void idsAreBoundedAndTheirOwn() {
        assertThat(RequestIds.of(Optional.of("a".repeat(128)))).hasSize(128);
        assertThat(RequestIds.of(Optional.of("a".repeat(129)))).startsWith("req-");
        assertThat(RequestIds.of(Optional.empty())).isNotEqualTo(RequestIds.of(Optional.empty()));
    }
}
