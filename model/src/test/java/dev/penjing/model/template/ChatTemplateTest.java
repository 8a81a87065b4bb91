package dev.penjing.model.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ChatTemplateTest {
    private static final Clock CLOCK =
            Clock.fixed(Instant.parse("2024-07-05T15:04:09Z"), ZoneOffset.UTC);

    /// @param template rendered by Jinja: see cases.py beside cases.json
    record Case(String template, JsonNode json, Map<String, Object> variables) {
        @Override
        public String toString() {
            return template;
        }
    }

    static List<Case> cases() throws IOException {
        try (InputStream in =
                Objects.requireNonNull(
                        ChatTemplateTest.class.getResourceAsStream("/chat-templates/cases.json"))) {
            JsonNode all = JsonMapper.builder().build().readTree(in);
            Map<String, Object> variables = new HashMap<>();
            all.path("variables")
                    .properties()
                    .forEach(e -> variables.put(e.getKey(), e.getValue()));
            List<Case> cases = new ArrayList<>();
            for (JsonNode json : all.path("cases")) {
                cases.add(new Case(json.path("template").asString(), json, variables));
            }
            return cases;
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rendersAsJinjaDoes(Case c) {
        if (c.json().has("error")) {
            assertThatThrownBy(() -> ChatTemplate.parse(c.template(), CLOCK).render(c.variables()))
                    .isInstanceOf(TemplateException.class)
                    .hasMessageStartingWith("chat template, line 1: ");
        } else {
            assertThat(ChatTemplate.parse(c.template(), CLOCK).render(c.variables()))
                    .isEqualTo(c.json().path("expected").asString());
        }
    }

    @Test
    void aTemplatesOwnRefusalCanBeToldFromADefect() {
        assertThatThrownBy(
                        () -> ChatTemplate.parse("\n{{ raise_exception('no') }}").render(Map.of()))
                .isInstanceOfSatisfying(
                        TemplateException.class,
                        e -> {
                            assertThat(e.raisedByTemplate()).isTrue();
                            assertThat(e).hasMessage("chat template, line 2: no");
                        });
        assertThatThrownBy(() -> ChatTemplate.parse("{{ x | odd }}").render(Map.of()))
                .isInstanceOfSatisfying(
                        TemplateException.class, e -> assertThat(e.raisedByTemplate()).isFalse())
                .hasMessageContaining("the filter 'odd' is not known here");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
                "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x = ns.x.replace('a', 'aa') %}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{{ 'a' * 999999999 }}",
                "{{ 9999999999 * 9999999999 }}",
                "{% for i in range(99999) %}{{ '%s' % ('a' * 9999) }}{% endfor %}"
            })
    void aHostileTemplateEndsSoon(String source) {
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () ->
                        assertThatThrownBy(() -> ChatTemplate.parse(source).render(Map.of()))
                                .isInstanceOf(TemplateException.class));
    }

    @Test
    void deepNestingIsAnError() {
        assertThatThrownBy(() -> ChatTemplate.parse("{{ " + "(".repeat(5000) + "1"))
                .isInstanceOf(TemplateException.class);
        assertThatThrownBy(() -> ChatTemplate.parse("{% if x %}".repeat(5000)))
                .isInstanceOf(TemplateException.class);
        assertThatThrownBy(() -> ChatTemplate.parse("{{ " + "not ".repeat(5000) + "1 }}"))
                .isInstanceOf(TemplateException.class);
        assertThatThrownBy(() -> ChatTemplate.parse("{{ " + "-".repeat(5000) + "1 }}"))
                .isInstanceOf(TemplateException.class);
    }

    @Test
    void isFoundInAModelsFolder(@TempDir Path directory) throws IOException {
        assertThat(ChatTemplate.of(directory)).isEmpty();
        Path settings = directory.resolve("tokenizer_config.json");
        Files.writeString(settings, "{\"chat_template\": \"one {{ x }}\"}");
        assertThat(ChatTemplate.of(directory).orElseThrow().render(Map.of("x", 1)))
                .isEqualTo("one 1");
        Files.writeString(
                settings,
                "{\"chat_template\": [{\"name\": \"tools\", \"template\": \"t\"}, {\"name\": \"default\", \"template\": \"d\"}]}");
        assertThat(ChatTemplate.of(directory).orElseThrow().render(Map.of())).isEqualTo("d");
        Files.writeString(directory.resolve("chat_template.jinja"), "own");
        assertThat(ChatTemplate.of(directory).orElseThrow().render(Map.of())).isEqualTo("own");
    }
}
