package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What documents tell people to type.
class DocumentedRequestsTest {
    private static final Pattern CURL =
            Pattern.compile(
                    "    curl (?:-N )?http://127\\.0\\.0\\.1:8000(\\S+)(.*?)\\n\\n",
                    Pattern.DOTALL);
    private static final Pattern BODY = Pattern.compile("-d '(.*)'", Pattern.DOTALL);

    @ParameterizedTest
    @CsvSource({"README.md, 1", "docs/serving.md, 7"})
    void areAnswered(String document, int least) throws IOException {
        String text = Files.readString(Path.of("..").resolve(document));
        List<Matcher> curls =
                CURL.matcher(text).results().map(r -> CURL.matcher(r.group())).toList();
        assertThat(curls).hasSizeGreaterThanOrEqualTo(least);
        try (TestServer server = TestServer.start();
                Wire wire = new Wire(server.port())) {
            for (Matcher curl : curls) {
                assertThat(curl.matches()).isTrue();
                Matcher body = BODY.matcher(curl.group(2));
                Wire.Answer answer =
                        body.find()
                                ? wire.send(wire.post(curl.group(1), served(body.group(1))))
                                : wire.get(curl.group(1));
                assertThat(answer.status())
                        .as("%s: %s", curl.group(), answer.body())
                        .isEqualTo(200);
                assertThat(curl.group(2).contains("\"stream\": true"))
                        .isEqualTo(answer.body().endsWith("data: [DONE]\n\n"));
            }
        }
    }

    /// The tests' server has no student.
    private static String served(String body) {
        return body.replace("\"student\"", "\"teacher\"");
    }
}
