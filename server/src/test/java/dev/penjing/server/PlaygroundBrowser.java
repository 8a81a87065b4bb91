package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// Tests of the playground in a real browser. Skipped where there is none, unless
/// `PENJING_BROWSER_TEST` is `required`.
abstract class PlaygroundBrowser {
    static final String QUESTION = "Where does Cora live?";
    static final String EXAMPLE = "Tell me a little story.";
    static final String SMALLER = "smaller";
    static final String ENDLESS = "endless";
    static final String KEY = "sesame";

    @TempDir static Path folder = Path.of("");

    private static @Nullable Chromium started;
    static TestServer server;
    BrowserPage page;
    final List<String> servers = new ArrayList<>();

    @BeforeAll
    static void start() throws IOException {
        Optional<Path> program = Chromium.installed();
        if (!"required".equals(System.getenv("PENJING_BROWSER_TEST"))) {
            assumeTrue(
                    program.isPresent(),
                    "no Chromium: put chromium, chromium-browser or google-chrome on the PATH, or name one in PENJING_CHROMIUM");
        }
        assertThat(program).as("Chromium, which PENJING_BROWSER_TEST requires").isPresent();
        Path smaller = folder.resolve("run").resolve(SMALLER);
        Teachers.shallow(smaller, 2);
        Files.writeString(
                smaller.resolveSibling("report.html"),
                "<!doctype html><style>p { color: green }</style><p>Half of the layers are left.</p>");
        Path endless = folder.resolve(ENDLESS);
        Teachers.endless(endless, 16_384);
        Map<String, Path> also = new LinkedHashMap<>();
        also.put(SMALLER, smaller);
        also.put(ENDLESS, endless);
        server =
                TestServer.start(
                        new TestServer.Setup(List.of(), 16, 4, 256),
                        also,
                        o -> o.defaultMaxTokens(16_000).examples(List.of(EXAMPLE)));
        started = Chromium.start(program.orElseThrow());
    }

    @AfterAll
    static void end() {
        if (started != null) {
            started.close();
        }
        if (server != null) {
            server.close();
        }
    }

    @BeforeEach
    void open() {
        page = java.util.Objects.requireNonNull(started).page();
        open(server);
    }

    void open(TestServer of) {
        servers.add("http://127.0.0.1:%d/".formatted(of.port()));
        page.open(servers.getLast());
        page.awaitElement(id("param-temperature"));
    }

    /// Whatever a test did, nothing was complained of, and nobody but the server was asked.
    @AfterEach
    void nothingElse() {
        try (BrowserPage page = this.page) {
            assertThat(page.complaints()).isEmpty();
            assertThat(page.requests())
                    .contains(servers.getFirst() + "playground/info")
                    .allMatch(url -> servers.stream().anyMatch(url::startsWith));
        }
    }

    static String id(String name) {
        return "[data-testid=\"%s\"]".formatted(name);
    }

    /// In a column.
    static String in(int column, String name) {
        return id("column-" + column) + " " + id(name);
    }

    static String turn(int column, String status) {
        return in(column, "turn") + ":last-child[data-status=" + status + "]";
    }

    void ask(String question) {
        page.fill(id("prompt"), question);
        page.click(id("send"));
    }

    void surely() {
        page.fill(id("param-temperature"), "0");
        page.fill(id("param-seed"), "7");
    }

    /// The answer's text as it is copied.
    String answer(int column) {
        page.click(in(column, "turn") + ":last-child " + id("copy-answer"));
        page.awaitText("#toast", "Answer copied");
        return page.clipboard();
    }

    String figure(String name) {
        return page.text(in(0, "figure-" + name));
    }
}
