package dev.penjing.model.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files of data sets; what is the same for models is in [HubTest].
@Timeout(20)
class HubDatasetTest {
    private static final HubDataset SET = HubDataset.of("org/name", "main");
    private static final String LARGE = "part one/test-00000-of-00001.parquet";
    private static final String SMALL = "part one/more/x.jsonl";

    @TempDir Path folder;
    private final FakeHub fake = new FakeHub();
    private final byte[] large = new byte[70_000];

    @BeforeEach
    void fill() {
        new Random(1).nextBytes(large);
        fake.dataset = true;
        fake.files.put(LARGE, large);
        fake.files.put(SMALL, "{}".getBytes(StandardCharsets.UTF_8));
        fake.files.put("train.parquet", new byte[60_000]);
        fake.files.put("script.py", new byte[3]);
    }

    @AfterEach
    void close() {
        fake.close();
    }

    private Hub hub(String... more) {
        Map<String, String> environment = new HashMap<>();
        environment.put("HF_ENDPOINT", fake.endpoint());
        environment.put("HF_HOME", folder.toString());
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return new Hub(environment, new RetryPolicy(Duration.ofSeconds(5), Duration.ofMillis(1)));
    }

    private static HubListing list(Hub hub) {
        return hub.list(SET, path -> !path.endsWith(".py"));
    }

    private Path root() {
        return folder.resolve("hub/datasets--org--name");
    }

    @Test
    void filesAreListedAndOnlyThoseAskedForAreFetched() throws IOException {
        Hub hub = hub();
        HubListing listing = list(hub);
        assertThat(listing.paths()).containsExactlyInAnyOrder(LARGE, SMALL, "train.parquet");
        assertThat(listing.where()).isEqualTo(fake.endpoint() + "/datasets/org/name at main");
        assertThat(root()).doesNotExist();
        Path snapshot = hub.fetch(listing, List.of(LARGE, SMALL), Progress.NONE);
        assertThat(snapshot).isEqualTo(root().resolve("snapshots").resolve(FakeHub.COMMIT));
        assertThat(root().resolve("refs/main")).hasContent(FakeHub.COMMIT);
        assertThat(snapshot.resolve(LARGE)).hasBinaryContent(large);
        assertThat(snapshot.resolve(SMALL)).hasContent("{}");
        assertThat(snapshot.resolve("train.parquet")).doesNotExist();
        // as the hub's own client lays it out
        assertThat(Files.readSymbolicLink(snapshot.resolve(LARGE)))
                .isEqualTo(Path.of("../../../blobs", FakeHub.hash(large)));
        assertThat(Files.readSymbolicLink(snapshot.resolve(SMALL)).getNameCount()).isEqualTo(6);
        assertThat(fake.requests("content")).hasSize(1);
        hub.fetch(listing, List.of(LARGE), Progress.NONE);
        assertThat(fake.requests("content")).hasSize(1);
    }

    @Test
    void offlineTheCacheIsListed() {
        HubListing before = list(hub("HF_HUB_OFFLINE", "1"));
        assertThat(before.paths()).isEmpty();
        assertThat(before.where()).contains(root().toString(), "HF_HUB_OFFLINE");
        Hub online = hub();
        online.fetch(list(online), List.of(LARGE), Progress.NONE);
        int requests = fake.requests.size();
        Hub offline = hub("HF_HUB_OFFLINE", "1");
        HubListing listing = list(offline);
        assertThat(listing.paths()).containsExactly(LARGE);
        assertThat(offline.fetch(listing, listing.paths(), Progress.NONE).resolve(LARGE))
                .hasBinaryContent(large);
        assertThat(fake.requests).hasSize(requests);
    }

    @Test
    void aRevisionThatIsNotThereHasNoFiles() {
        HubDataset converted = HubDataset.of("org/name", "refs/convert/parquet");
        assertThat(hub().list(converted, path -> true).paths()).isEmpty();
        assertThatThrownBy(() -> hub().list(HubDataset.of("no/body", "main"), path -> true))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("no/body");
    }

    @Test
    void aGatedDataSetNamesItsPage() {
        fake.gated = true;
        Hub hub = hub();
        HubListing listing = list(hub);
        assertThatThrownBy(() -> hub.fetch(listing, List.of(LARGE), Progress.NONE))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("licence at " + fake.endpoint() + "/datasets/org/name");
        Hub known = hub("HF_TOKEN", "secret");
        assertThat(known.fetch(listing, List.of(LARGE), Progress.NONE)).exists();
    }

    @Test
    void aPathThatLeadsOutIsRefused() {
        fake.listed.add("a/../../x.parquet");
        assertThatThrownBy(() -> list(hub()))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("leads out of its folder");
    }

    @ParameterizedTest
    @ValueSource(strings = {"name", "a/b/c", "../x", "a/..", "a--b/c", "", "/", "a/b c"})
    void otherNamesAreNoDataSets(String id) {
        assertThatThrownBy(() -> HubDataset.of(id, "main")).isInstanceOf(UsageException.class);
    }
}
