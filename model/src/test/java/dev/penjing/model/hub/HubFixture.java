package dev.penjing.model.hub;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A hub with one model, and a client's folders.
@Timeout(20)
abstract class HubFixture {
    static final HubModel MODEL = HubModel.parse("hf:org/name");
    static final String WEIGHTS = "model.safetensors";
    static final RetryPolicy SHORT = new RetryPolicy(Duration.ofSeconds(5), Duration.ofMillis(1));

    @TempDir Path folder;
    final FakeHub hub = new FakeHub();
    final byte[] weights = random(300_000);

    @BeforeEach
    void fill() {
        hub.files.put(
                "config.json", "{\"model_type\": \"llama\"}".getBytes(StandardCharsets.UTF_8));
        hub.files.put(WEIGHTS, weights);
        hub.files.put("README.md", new byte[0]);
        hub.files.put("pytorch_model.bin", random(60_000));
    }

    @AfterEach
    void close() {
        hub.close();
    }

    static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    Map<String, String> environment(String... more) {
        Map<String, String> environment = new HashMap<>();
        environment.put("HF_ENDPOINT", hub.endpoint());
        environment.put("HF_HOME", folder.resolve("home").toString());
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return environment;
    }

    Path snapshot(String... more) {
        return new Hub(environment(more), SHORT).snapshot(MODEL, Progress.NONE);
    }

    Path root() {
        return folder.resolve("home/hub/models--org--name");
    }

    Path incomplete() {
        return root().resolve("blobs").resolve(FakeHub.hash(weights) + ".penjing.incomplete");
    }

    static void fails(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call)
                .isInstanceOf(PenjingException.class)
                .hasMessageNotContaining("\n")
                .hasMessageContainingAll(parts);
    }
}
