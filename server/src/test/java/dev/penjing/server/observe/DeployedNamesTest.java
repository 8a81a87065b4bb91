package dev.penjing.server.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.api.DraftLoad;
import dev.penjing.inference.api.EngineLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Dashboards and rules ask for metrics that there are.
class DeployedNamesTest {
    private static final Pattern NAMES =
            Pattern.compile("\\b((?:vllm:|penjing_|process_|jvm_|http_)[a-z_0-9]+)");

    @ParameterizedTest
    @ValueSource(
            strings = {"grafana/penjing.json", "prometheus/alerts.yml", "prometheus/adapter.yml"})
    void namesAreExposed(String file) throws IOException {
        ServerMetrics metrics = new ServerMetrics(256);
        metrics.forModel(
                        "student",
                        64,
                        () -> new EngineLoad(0, 0, 8, 8, new DraftLoad(0, 0, 8, 8)))
                .requestStarted(1, 1);
        metrics.answered("/", "GET", 200, 0.1);
        Set<String> exposed = new TreeSet<>();
        metrics.scrape()
                .lines()
                .filter(l -> !l.startsWith("#"))
                .forEach(l -> exposed.add(l.split("[{ ]", 2)[0]));

        Matcher asked = NAMES.matcher(Files.readString(Path.of("../deploy", file)));
        Set<String> names = new TreeSet<>();
        while (asked.find()) {
            names.add(asked.group(1));
        }
        assertThat(names).isNotEmpty();
        assertThat(exposed).containsAll(names);
    }
}
