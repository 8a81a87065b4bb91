package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The playground: questions, answers, settings, programs.
class PlaygroundTest extends PlaygroundBrowser {
    private static String text(List<JsonNode> chunks) {
        return chunks.stream()
                .flatMap(chunk -> chunk.path("choices").valueStream())
                .map(choice -> choice.path("delta").path("content").asString(""))
                .collect(Collectors.joining());
    }

    @Test
    void chats() {
        surely();
        ask(QUESTION);
        page.awaitElement(turn(0, "done"));
        assertThat(page.text(in(0, "question"))).contains(QUESTION);
        assertThat(page.text(in(0, "answer"))).contains("Cora").isEqualTo(answer(0));
        page.click(in(0, "tab-raw"));
        List<JsonNode> chunks = Wire.events(page.text(in(0, "raw-response")));
        assertThat(chunks.size()).as("pieces").isGreaterThan(4);
        page.click(in(0, "tab-chat"));
        assertThat(text(chunks)).isEqualTo(page.text(in(0, "answer")));
        JsonNode usage = chunks.getLast().path("usage");
        assertThat(figure("prompt")).isEqualTo(usage.path("prompt_tokens").asString());
        assertThat(figure("completion")).isEqualTo(usage.path("completion_tokens").asString());
        assertThat(figure("finish")).isEqualTo("stop");
        assertThat(figure("first")).matches("[\\d.]+ m?s");
        assertThat(figure("total")).matches("[\\d.]+ m?s");
        assertThat(figure("rate")).matches("[\\d.]+");
        assertThat(page.text(id("health"))).contains("Ready");
    }

    @Test
    void goesOnFromWhatWasSaid() {
        page.click(id("example"));
        page.awaitElement(turn(0, "done"));
        assertThat(page.text(in(0, "question"))).contains(EXAMPLE);
        ask(QUESTION);
        page.await("document.querySelectorAll('[data-status=done]').length === 2");
        page.click(in(0, "tab-raw"));
        JsonNode messages = Wire.JSON.readTree(page.text(in(0, "raw-request"))).path("messages");
        assertThat(messages.valueStream().map(m -> m.path("role").asString()))
                .containsExactly("user", "assistant", "user");
        page.click(id("reset"));
        page.click(in(0, "tab-chat"));
        page.awaitElement(id("example"));
    }

    @Test
    void stops() {
        page.choose(in(0, "model"), ENDLESS);
        ask(QUESTION);
        server.awaitBusy(ENDLESS);
        page.await(
                "document.querySelector('%s').innerText.length > 100".formatted(in(0, "answer")));
        page.awaitElement(turn(0, "streaming"));
        page.click(id("stop"));
        page.awaitElement(turn(0, "stopped"));
        server.awaitIdle(ENDLESS);
        assertThat(figure("finish")).isEqualTo("stopped by you");
        assertThat(page.text(in(0, "answer"))).hasSizeGreaterThan(100);
        page.awaitElement(id("send") + ":not([hidden])");
    }

    @Test
    void comparesTwoModels() {
        page.click(id("compare"));
        page.awaitElement(id("column-1"));
        assertThat(page.value(in(0, "model"))).isEqualTo(TestServer.MODEL);
        assertThat(page.value(in(1, "model"))).isEqualTo(SMALLER);
        ask(QUESTION);
        for (int column = 0; column < 2; column++) {
            page.awaitElement(turn(column, "done"));
            assertThat(page.text(in(column, "question"))).contains(QUESTION);
            assertThat(page.text(in(column, "figure-prompt"))).matches("\\d+");
            page.click(in(column, "tab-raw"));
            assertThat(
                            Wire.JSON
                                    .readTree(page.text(in(column, "raw-request")))
                                    .path("model")
                                    .asString())
                    .isEqualTo(page.value(in(column, "model")));
        }
        long share =
                Math.round(
                        100.0
                                * server.engine(SMALLER).config().parameters()
                                / server.engine().config().parameters());
        assertThat(page.text(id("compare-summary")))
                .contains("smaller has %d %% of the parameters of teacher".formatted(share));
    }

    @Test
    void theCurlLineAsksTheSame() throws Exception {
        surely();
        // what a shell would stumble over
        ask("Where does Cora's friend \"$HOME\" live? \\ `date` !");
        page.awaitElement(turn(0, "done"));
        String answer = answer(0);
        page.click(in(0, "tab-code"));
        page.click(in(0, "copy-code"));
        page.awaitText("#toast", "Program copied");
        String code = page.clipboard();
        assertThat(code).startsWith("curl ").contains("\"seed\": 7", "\"temperature\": 0");
        Path errors = folder.resolve("curl.err");
        Process curl =
                new ProcessBuilder("bash", "-c", code).redirectError(errors.toFile()).start();
        try {
            String told = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(curl.waitFor(Chromium.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(curl.exitValue()).as(Files.readString(errors)).isZero();
            assertThat(text(Wire.events(told))).isNotEmpty().isEqualTo(answer);
        } finally {
            curl.destroyForcibly();
        }
    }

    @Test
    void answersByASchema() {
        page.click(id("response-format-json_schema"));
        page.fill(
                id("schema"),
                """
                {"type": "object", "properties": {"village": {"enum": ["Larkwell", "Elmford"]}},
                 "required": ["village"], "additionalProperties": false}
                """);
        ask(QUESTION);
        page.awaitElement(turn(0, "done"));
        JsonNode answer = Wire.JSON.readTree(answer(0));
        assertThat(answer.propertyNames()).containsExactly("village");
        assertThat(answer.path("village").asString()).isIn("Larkwell", "Elmford");
        assertThat(page.text(in(0, "answer")).strip())
                .isEqualTo("{\n  \"village\": %s\n}".formatted(answer.path("village")));
    }

    @Test
    void aSchemaThatIsNoneIsNotSent() {
        page.click(id("response-format-json_schema"));
        page.fill(id("schema"), "{\"type\":");
        ask(QUESTION);
        page.await("document.querySelector('#toast').innerText.includes('The schema is not JSON')");
        assertThat(page.requests()).noneMatch(url -> url.contains("completions"));
        assertThat(page.value(id("prompt"))).isEqualTo(QUESTION);
    }

    @Test
    void tooLongAPromptIsToldAsItIs() {
        String prompt = "Where does Cora live? ".repeat(60);
        ask(prompt);
        page.awaitElement(turn(0, "failed"));
        try (Wire wire = new Wire(server.port())) {
            Wire.Answer same = wire.chat(Wire.ask(prompt.strip(), ""));
            assertThat(page.text(in(0, "error-message")))
                    .isEqualTo(same.json().path("error").path("message").asString());
            assertThat(page.text(in(0, "error-code"))).startsWith(same.code());
        }
        assertThat(page.text(in(0, "error-status"))).isEqualTo("HTTP 400");
        refused(400, 1);
    }

    /// The browser itself writes on the console, sooner or later, that an answer had such a status.
    private void refused(int status, int times) {
        assertThat(page.awaitComplaints(times))
                .hasSize(times)
                .allMatch(line -> line.contains("responded with a status of " + status));
    }

    @Test
    void aKeyIsNeeded() {
        TestServer.Setup setup = new TestServer.Setup(List.of(KEY), 16, 4, 256);
        try (TestServer locked = TestServer.start(setup)) {
            open(locked);
            page.awaitElement(id("api-key"));
            page.fill(id("api-key"), "guess");
            page.press("Tab");
            page.await("document.querySelector('#send').disabled");
            page.fill(id("api-key"), KEY);
            page.press("Tab");
            page.awaitElement(id("send") + ":not(:disabled)");
            page.fill(id("api-key"), "guess");
            ask(QUESTION);
            page.awaitElement(turn(0, "failed"));
            try (Wire wire = new Wire(locked.port())) {
                Wire.Answer same = wire.chat(Wire.ask(QUESTION, ""));
                assertThat(same.status()).isEqualTo(401);
                assertThat(page.text(in(0, "error-code"))).isEqualTo(same.code());
            }
            assertThat(page.text(in(0, "error-status"))).isEqualTo("HTTP 401");
            assertThat(page.text(in(0, "error-message"))).containsIgnoringCase("key");
            refused(401, 1);
            page.fill(id("api-key"), KEY);
            page.click(in(0, "retry"));
            page.awaitElement(turn(0, "done"));
            page.click(in(0, "tab-code"));
            assertThat(page.text(in(0, "code"))).contains("$PENJING_API_KEY").doesNotContain(KEY);
        }
    }

    @Test
    void showsTheReport() {
        page.choose(in(0, "model"), SMALLER);
        page.click(in(0, "report-open"));
        page.awaitElement(id("report") + "[open]");
        assertThat(page.text("#report-title")).contains(SMALLER);
        page.awaitFrameText("Half of the layers are left.");
        page.press("Escape");
        page.awaitElement(id("report") + ":not([open])");
    }

    @Test
    void aKeyboardIsEnough() {
        page.evaluate("document.activeElement.blur()");
        page.press("Tab");
        page.awaitText(":focus", "Go to the prompt");
        page.tabTo(in(0, "model"));
        page.type(ENDLESS);
        page.await("document.activeElement.value === '%s'".formatted(ENDLESS));
        page.tabTo(id("prompt"));
        page.type(QUESTION);
        page.press("Enter");
        page.awaitElement(turn(0, "streaming"));
        assertThat(page.text(in(0, "question"))).contains(QUESTION);
        server.awaitBusy(ENDLESS);
        page.press("Escape");
        page.awaitElement(turn(0, "stopped"));
        server.awaitIdle(ENDLESS);
        page.awaitElement(id("prompt") + ":focus");
    }

    /// On a telephone nothing hangs over the edge, and the settings come as a drawer.
    @Test
    void fitsATelephone() {
        page.size(390, 844);
        page.click(id("compare"));
        ask(QUESTION);
        page.awaitElement(turn(0, "done"));
        page.awaitElement(turn(1, "done"));
        page.await("document.documentElement.scrollWidth <= 390");
        page.click(id("panel-toggle"));
        page.awaitElement(id("panel") + "[aria-modal=true]");
        page.await("document.querySelector('#panel').getBoundingClientRect().right <= 390");
        page.press("Escape");
        page.awaitElement(id("panel-toggle") + "[aria-expanded=false]:focus");
    }

    /// What the other tests trust: the browser tells of each of these.
    @Test
    void nothingGoesUnnoticed() {
        String elsewhere = "http://127.0.0.1:9/elsewhere";
        page.evaluate("console.error('a message')");
        page.evaluate("void setTimeout(() => { throw new Error('a mistake'); })");
        page.evaluate("fetch('%s').catch(() => 0)".formatted(elsewhere));
        page.evaluate(
                """
                void document.body.append(
                    Object.assign(document.createElement('script'), {textContent: '1'}))
                """);
        List<String> told = new ArrayList<>();
        Chromium.await(
                "not told of all",
                () -> {
                    told.addAll(page.complaints());
                    return String.join("\n", told);
                },
                all ->
                        all.matches(
                                "(?s)(?=.*console: .*a message)(?=.*exception: .*a mistake)"
                                        + "(?=.*log: .*connect-src)(?=.*policy: .*connect-src)"
                                        + "(?=.*log: .*script-src)(?=.*policy: .*script-src).*"));
    }
}
