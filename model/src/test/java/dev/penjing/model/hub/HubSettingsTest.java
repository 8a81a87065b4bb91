package dev.penjing.model.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.UsageException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What names a model and what the environment says; against what huggingface_hub makes of it.
class HubSettingsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "hf:name",
                "hf:../x",
                "org/name",
                "hf:a/b/c",
                "hf:a/..",
                "hf:a/b@",
                "hf:a/b@../x",
                "hf:a/b@/x",
                "hf:a--b/c",
                "hf:a/b@x/../y",
                "hf:a/b@-x",
                "hf:a/b c"
            })
    void otherNamesAreNoModels(String source) {
        assertThatThrownBy(() -> HubModel.parse(source)).isInstanceOf(UsageException.class);
    }

    @Test
    void aModelMayNameItsRevision() {
        assertThat(HubModel.parse("hf:org/na.me-1"))
                .isEqualTo(new HubModel("org", "na.me-1", "main"));
        assertThat(HubModel.parse("hf:o/n@refs/pr/1").encodedRevision()).isEqualTo("refs%2Fpr%2F1");
    }

    @ParameterizedTest
    @CsvSource({
        "/u/.cache/huggingface/hub, HOME, /u, X, x",
        "/c/huggingface/hub, HOME, /u, XDG_CACHE_HOME, /c",
        "/h/hub, HF_HOME, /h, XDG_CACHE_HOME, /c",
        "/u/h/hub, HF_HOME, ~/h, HOME, /u",
        "/b, HF_HOME, /h, HF_HUB_CACHE, /b",
        "/b, HF_HOME, /h, HUGGINGFACE_HUB_CACHE, /b"
    })
    void theCacheIsWhereTheHubsOwnClientsHaveIt(
            Path cache, String name, String value, String name2, String value2) {
        assertThat(HubSettings.of(Map.of(name, value, name2, value2)).cache()).isEqualTo(cache);
    }

    @Test
    void theEnvironmentsTokenGoesBeforeTheFiles(@TempDir Path home) throws IOException {
        Map<String, String> file = Map.of("HF_HOME", home.toString());
        assertThat(HubSettings.of(file).token()).isEmpty();
        Files.writeString(home.resolve("token"), "of_the_file\r\n");
        assertThat(HubSettings.of(file).token()).contains("of_the_file");
        assertThat(HubSettings.of(Map.of("HF_HOME", home.toString(), "HF_TOKEN", " t ")).token())
                .contains("t");
    }

    @Test
    void whatIsEmptyOrFalseSaysNothing() {
        HubSettings settings =
                HubSettings.of(Map.of("HOME", "/u", "HF_ENDPOINT", "", "HF_HUB_OFFLINE", "0"));
        assertThat(settings.endpoint()).isEqualTo(URI.create("https://huggingface.co"));
        assertThat(settings.offline()).isFalse();
        assertThat(settings.symlinks()).isTrue();
        assertThat(HubSettings.of(Map.of("HF_ENDPOINT", "https://m.example/hf/")).endpoint())
                .isEqualTo(URI.create("https://m.example/hf"));
    }

    @ParameterizedTest
    @CsvSource({
        "HF_ENDPOINT, huggingface.co",
        "HF_ENDPOINT, file:///x",
        "HF_ENDPOINT, https://a b",
        "HF_TOKEN, a b"
    })
    void variablesThatMakeNoSenseAreNamed(String name, String value) {
        assertThatThrownBy(() -> HubSettings.of(Map.of("HOME", "/u", name, value)))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(name);
    }
}
