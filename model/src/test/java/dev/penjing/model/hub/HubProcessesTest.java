package dev.penjing.model.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.model.Progress;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// More than one process on one cache.
@Timeout(180) // the processes start slowly on a busy machine
class HubProcessesTest extends HubFixture {
    /// A client that is kept waiting must not ask anew.
    private static final RetryPolicy PATIENT =
            new RetryPolicy(Duration.ofSeconds(120), Duration.ofMillis(1));

    /// Two processes, of which one is killed: run by [#processesDoNotDisturbEachOther].
    static final class Process {
        public static void main(String[] home) {
            new Hub(Map.of("HF_ENDPOINT", home[0], "HF_HOME", home[1]), PATIENT)
                    .snapshot(MODEL, Progress.NONE);
        }
    }

    private java.lang.Process process() throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Process.class.getName(),
                        hub.endpoint(),
                        folder.resolve("home").toString())
                .inheritIO()
                .start();
    }

    private long timesListed() {
        return hub.requests("hub").stream().filter(r -> r.path().contains("/tree/")).count();
    }

    @Test
    void processesDoNotDisturbEachOther() throws Exception {
        // the first to ask for content gets it when all three know that they need it
        hub.gate = new CountDownLatch(2);
        java.lang.Process a = process();
        java.lang.Process b = process();
        Thread opener =
                Thread.ofVirtual()
                        .start(() -> {
                            while (timesListed() < 3) {
                                LockSupport.parkNanos(1_000_000);
                            }
                            hub.gate.countDown();
                        });
        new Hub(environment(), PATIENT).snapshot(MODEL, Progress.NONE);
        opener.join();
        assertThat(a.waitFor()).isZero();
        assertThat(b.waitFor()).isZero();
        assertThat(hub.requests("content")).hasSize(1); // one fetches, the others wait
        try (Stream<Path> blobs = Files.list(root().resolve("blobs"))) {
            assertThat(blobs).hasSize(3);
        }
    }

    @Test
    void aProcessThatIsKilledLeavesNothingHalfDone() throws Exception {
        hub.breakAt = 120_000;
        hub.breaks.set(1);
        hub.stalls = true;
        java.lang.Process killed = process();
        while (!Files.exists(incomplete()) || Files.size(incomplete()) < 120_000) {
            Thread.sleep(10);
        }
        killed.destroyForcibly().waitFor();
        assertThat(root().resolve("refs/main")).doesNotExist();
        assertThat(snapshot().resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(hub.requests("content").getLast().from()).isEqualTo(120_000);
        assertThat(new File(incomplete().toString())).doesNotExist();
    }
}
