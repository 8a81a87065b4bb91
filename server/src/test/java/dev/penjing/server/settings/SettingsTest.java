package dev.penjing.server.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.server.settings.Settings.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class SettingsTest {
    @TempDir Path folder;

    private static Settings commandLine(String... pairs) {
        return Settings.resolve(map(pairs), Map.of(), Optional.empty());
    }

    private static Settings environment(String... pairs) {
        return Settings.resolve(Map.of(), map(pairs), Optional.empty());
    }

    private Settings file(String json) {
        return Settings.resolve(Map.of(), Map.of(), Optional.of(write(json)));
    }

    private Path write(String json) {
        try {
            return Files.writeString(folder.resolve("config.json"), json);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Map<String, String> map(String... pairs) {
        Map<String, String> map = new java.util.HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put(pairs[i], pairs[i + 1]);
        }
        return map;
    }

    @Test
    void eachSourceWinsOverTheNext() {
        Path config = write("{\"port\": 3, \"host\": \"::1\", \"max-sequences\": 7}");
        Settings settings =
                Settings.resolve(
                        map("port", "1"),
                        map("NIM_SERVER_PORT", "2", "PENJING_MAX_SEQUENCES", "8"),
                        Optional.of(config));

        assertThat(settings.integer("port")).isEqualTo(1);
        assertThat(settings.source("port")).isEqualTo(Source.COMMAND_LINE);
        assertThat(settings.integer("max-sequences")).isEqualTo(8);
        assertThat(settings.source("max-sequences")).isEqualTo(Source.ENVIRONMENT);
        assertThat(settings.text("host")).isEqualTo("::1");
        assertThat(settings.source("host")).isEqualTo(Source.FILE);
        assertThat(settings.integer("request-timeout")).isEqualTo(590);
        assertThat(settings.source("request-timeout")).isEqualTo(Source.DEFAULT);
    }

    @Test
    void theUsualValues() {
        Settings settings = commandLine();

        assertThat(settings.text("host")).isEqualTo("127.0.0.1");
        assertThat(settings.integer("port")).isEqualTo(8000);
        assertThat(settings.optionalInteger("health-port")).isEmpty();
        assertThat(settings.optionalText("model")).isEmpty();
        assertThat(settings.integer("max-queued-requests")).isEqualTo(256);
        assertThat(settings.integer("max-queued-tokens")).isEqualTo(65536);
        assertThat(settings.integer("max-sequences")).isEqualTo(64);
        assertThat(settings.integer("default-max-tokens")).isEqualTo(1024);
        assertThat(settings.integer("max-body-bytes")).isEqualTo(4 << 20);
        assertThat(settings.integer("ping-interval")).isEqualTo(15);
        assertThat(settings.integer("shutdown-timeout")).isEqualTo(30);
        assertThat(settings.list("cors-allow-origins")).isEmpty();
        assertThat(settings.flag("log-prompts")).isFalse();
        assertThat(settings.text("ssl-mode")).isEqualTo("off");
        assertThat(settings.apiKeys()).isEmpty();
        assertThat(settings.traceEndpoint()).isEmpty();
        assertThat(settings.warnings()).isEmpty();
    }

    @Test
    void everyDefaultIsAllowedAndEveryNameItsOwn() {
        Set<String> seen = new HashSet<>();
        for (Setting setting : Settings.known()) {
            assertThat(setting.name()).matches("[a-z][a-z-]*");
            assertThat(seen.add(setting.name())).isTrue();
            for (String variable : setting.environment()) {
                assertThat(variable).matches("(NIM|PENJING|OTEL)_[A-Z_]+");
                assertThat(seen.add(variable)).as(variable).isTrue();
            }
            assertThat(setting.help()).endsWith(".");
            setting.initial()
                    .ifPresent(v -> assertThat(setting.kind().accept(v)).as(v).contains(v));
        }
    }

    @ParameterizedTest
    @CsvSource({"true,true", "1,true", "TRUE,true", "false,false", "0,false"})
    void flags(String text, boolean value) {
        assertThat(environment("NIM_JSONL_LOGGING", text).flag("jsonl-logging")).isEqualTo(value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"yes", "2", "on", "t"})
    void whatIsNoFlagIsRefused(String text) {
        assertThatThrownBy(() -> environment("NIM_JSONL_LOGGING", text))
                .isInstanceOf(UsageException.class)
                .hasMessage(
                        "jsonl-logging is set to '%s' by the variable NIM_JSONL_LOGGING: it must be true, false, 1 or 0"
                                .formatted(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"65536", "-1", "8000.0", "eight", "0x50", "99999999999999999999", "٣"})
    void whatIsNoPortIsRefused(String text) {
        assertThatThrownBy(() -> commandLine("port", text))
                .isInstanceOf(UsageException.class)
                .hasMessage(
                        "port is set to '%s' on the command line: it must be a whole number between 0 and 65535"
                                .formatted(text));
    }

    @Test
    void wrongValuesOfTheFileAreRefusedByItsName() {
        assertThatThrownBy(() -> file("{\"ssl-mode\": \"on\"}"))
                .isInstanceOf(UsageException.class)
                .hasMessage(
                        "ssl-mode is set to 'on' by the file %s: it must be one of off, tls, mtls"
                                .formatted(folder.resolve("config.json")));
    }

    @Test
    void anErrorStaysOneLineAndTellsNoSecret() {
        assertThatThrownBy(() -> commandLine("host", "a\nb\u001b[31m"))
                .hasMessageStartingWith("host is set to 'a?b?[31m' on the command line");
        assertThatThrownBy(() -> commandLine("api-key", "hunter\n2"))
                .isInstanceOf(UsageException.class)
                .hasMessageNotContaining("hunter");
    }

    @Test
    void unknownNamesAreRefusedWithTheNextOne() {
        assertThatThrownBy(() -> file("{\"prot\": 1}"))
                .isInstanceOf(UsageException.class)
                .hasMessageEndingWith("'prot' is not a setting: did you mean port?");
        assertThatThrownBy(() -> commandLine("entirely-else", "1"))
                .hasMessage("--entirely-else is not a setting");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{\"port\": null}",
                "{\"port\": {}}",
                "{\"port\": 1} x",
                "{\"port\": 1, \"port\": 2}",
                "{\"also\": [1]}",
                "{\"also\": [\"a,b\"]}",
                "",
                "{"
            })
    void filesThatAreNoObjectOfSettingsAreRefused(String json) {
        assertThatThrownBy(() -> file(json))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("config.json")
                .message()
                .doesNotContain("\n");
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        Path missing = folder.resolve("none.json");
        assertThatThrownBy(() -> Settings.resolve(Map.of(), Map.of(), Optional.of(missing)))
                .isInstanceOf(PenjingException.class)
                .hasMessage("there is no config file " + missing);
    }

    @Test
    void unknownVariablesOfNimAreToldAndDoNothing() {
        Settings settings =
                environment(
                        "NIM_TENSOR_PARALLEL_SIZE", "2", "NIM_SERVER_PROT", "9", "HOME", "/root");

        assertThat(settings.warnings())
                .containsExactly(
                        "NIM_SERVER_PROT is not known here and changes nothing: did you mean NIM_SERVER_PORT?",
                        "NIM_TENSOR_PARALLEL_SIZE is not known here and changes nothing");
        assertThat(settings.integer("port")).isEqualTo(8000);
    }

    @Test
    void aVariableSetToNothingIsNotSet() {
        assertThat(environment("NIM_SERVER_PORT", "").integer("port")).isEqualTo(8000);
        assertThatThrownBy(() -> commandLine("port", "")).isInstanceOf(UsageException.class);
    }

    @Test
    void listsComeFromCommasAndFromJson() {
        assertThat(
                        environment("NIM_CORS_ALLOW_ORIGINS", "http://a, http://b,")
                                .list("cors-allow-origins"))
                .containsExactly("http://a", "http://b");
        assertThat(file("{\"also\": [\"x.gguf\", \"y\"]}").list("also"))
                .containsExactly("x.gguf", "y");
    }

    @Test
    void tlsNeedsItsFiles() {
        assertThatThrownBy(() -> environment("NIM_SSL_MODE", "TLS"))
                .isInstanceOf(UsageException.class)
                .hasMessage("ssl-mode is tls, but ssl-key-path is not set: set it");
        assertThatThrownBy(() ->
                        environment(
                                "NIM_SSL_MODE", "MTLS",
                                "NIM_SSL_KEY_PATH", "k",
                                "NIM_SSL_CERTS_PATH", "c"))
                .hasMessage("ssl-mode is mtls, but ssl-ca-certs-path is not set: set it");
        assertThat(commandLine("ssl-key-path", "k").warnings())
                .containsExactly("ssl-key-path is set, but ssl-mode is off: it changes nothing");
    }

    @Test
    void whatContradictsItselfIsRefused() {
        assertThatThrownBy(() -> commandLine("api-key", "a", "api-key-file", "b"))
                .isInstanceOf(UsageException.class);
        assertThatThrownBy(() -> commandLine("health-port", "8000"))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith("health-port and port are both 8000");
        assertThatThrownBy(() -> environment("NIM_ENABLE_OTEL", "1"))
                .hasMessage("enable-otel is true, but otel-endpoint is not set: set it");
        assertThatThrownBy(() -> commandLine("otel-endpoint", "localhost:4318"))
                .isInstanceOf(UsageException.class);
    }

    @Test
    void tracesGoNowhereIfTurnedOff() {
        String endpoint = "http://localhost:4318";
        assertThat(environment("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).traceEndpoint())
                .contains(endpoint);
        assertThat(
                        environment("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "NIM_ENABLE_OTEL", "0")
                                .traceEndpoint())
                .isEmpty();
    }

    @Test
    void anOpenDoorIsRefused() {
        assertThatThrownBy(() -> commandLine("host", "0.0.0.0").checkExposure())
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("0.0.0.0")
                .hasMessageContaining("set api-key-file");
        String[] tls = {
            "host", "0.0.0.0", "ssl-key-path", "k", "ssl-certs-path", "c", "ssl-mode", "tls"
        };
        assertThatThrownBy(() -> commandLine(tls).checkExposure())
                .hasMessageContaining("ssl-mode mtls");
        commandLine("host", "0.0.0.0", "api-key", "k").checkExposure();
        commandLine("host", "0.0.0.0", "api-key-file", "keys").checkExposure();
        commandLine("host", "::1").checkExposure();
        tls[tls.length - 1] = "mtls";
        List<String> mutual = new ArrayList<>(List.of(tls));
        mutual.addAll(List.of("ssl-ca-certs-path", "ca"));
        commandLine(mutual.toArray(String[]::new)).checkExposure();
        assertThat(commandLine(mutual.toArray(String[]::new)).warnings()).isEmpty();
    }

    @Test
    void keysComeFromAFile() throws IOException {
        Path keys = Files.writeString(folder.resolve("keys"), "# team\none\n\n two \n");
        assertThat(commandLine("api-key-file", keys.toString()).apiKeys())
                .containsExactly("one", "two");
        assertThat(commandLine("api-key", "k").apiKeys()).isEqualTo(List.of("k"));

        Files.writeString(keys, "# none\n");
        assertThatThrownBy(() -> commandLine("api-key-file", keys.toString()).apiKeys())
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("holds no key");
        assertThatThrownBy(() -> commandLine("api-key-file", "/none").apiKeys())
                .isInstanceOf(PenjingException.class);
    }

    @Test
    void theTableSaysWhatFromWhereAndNoSecret() {
        Settings settings =
                Settings.resolve(
                        map("port", "81"),
                        map(
                                "PENJING_API_KEY",
                                "hunter2",
                                "OTEL_EXPORTER_OTLP_HEADERS",
                                "k=hunter2"),
                        Optional.empty());
        String table = settings.describe();

        assertThat(table).doesNotContain("hunter2");
        assertThat(table).containsPattern("(?m)^port +81 +--port +The port to listen on");
        assertThat(table).containsPattern("(?m)^api-key +\\*\\*\\* +PENJING_API_KEY ");
        assertThat(table).containsPattern("(?m)^host +127.0.0.1 +default ");
        assertThat(table).containsPattern("(?m)^health-port +- +not set ");
        assertThat(table.lines()).hasSize(Settings.known().size() + 1);
    }

    @Test
    void jsonHasTypesAndNoSecret() {
        Settings settings = commandLine("api-key", "hunter2", "also", "a,b", "log-prompts", "1");
        JsonNode root = JsonMapper.builder().build().readTree(settings.toJson());

        assertThat(root.at("/port/value").intValue()).isEqualTo(8000);
        assertThat(root.at("/port/source").stringValue()).isEqualTo("default");
        assertThat(root.at("/port/environment/0").stringValue()).isEqualTo("NIM_SERVER_PORT");
        assertThat(root.at("/log-prompts/value").booleanValue()).isTrue();
        assertThat(root.at("/also/value/1").stringValue()).isEqualTo("b");
        assertThat(root.at("/health-port/value").isNull()).isTrue();
        assertThat(root.at("/api-key/value").stringValue()).isEqualTo("***");
        assertThat(root.at("/api-key/origin").stringValue()).isEqualTo("--api-key");
        assertThat(settings.toJson()).doesNotContain("hunter2");
    }

    @Test
    void askingForWhatIsNotASettingIsADefect() {
        Settings settings = commandLine();
        assertThatThrownBy(() -> settings.text("prot")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> settings.flag("port")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> settings.text("model")).isInstanceOf(IllegalStateException.class);
    }
}
