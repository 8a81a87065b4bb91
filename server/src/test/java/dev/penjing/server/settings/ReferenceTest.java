package dev.penjing.server.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// The page about settings says what the code does.
class ReferenceTest {
    @Test
    void everySettingIsInTheReference() throws IOException {
        String rows =
                Settings.known().stream().map(ReferenceTest::row).collect(Collectors.joining("\n"));
        assertThat(Files.readString(Path.of("../docs/reference/serving-operations.md")))
                .contains(rows);
    }

    static String row(Setting setting) {
        String variables =
                setting.environment().stream()
                        .map(v -> "`" + v + "`")
                        .collect(Collectors.joining(", "));
        return "| `%s` | %s | %s | %s | %s |"
                .formatted(
                        setting.name(),
                        variables,
                        setting.kind().allowed(),
                        setting.initial().map(v -> "`" + v + "`").orElse(""),
                        setting.help());
    }
}
