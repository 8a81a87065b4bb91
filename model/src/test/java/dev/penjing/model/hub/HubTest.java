package dev.penjing.model.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.model.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubTest extends HubFixture {
    @Test
    void fillsTheCacheInTheHubsLayout() throws IOException {
        Path snapshot = snapshot();
        assertThat(snapshot).isEqualTo(root().resolve("snapshots").resolve(FakeHub.COMMIT));
        assertThat(root().resolve("refs/main")).hasContent(FakeHub.COMMIT);
        assertThat(snapshot.toFile().list())
                .containsExactlyInAnyOrder("config.json", WEIGHTS, "README.md");
        for (String name : List.of("config.json", WEIGHTS, "README.md")) {
            byte[] bytes = hub.files.getOrDefault(name, new byte[0]);
            assertThat(snapshot.resolve(name)).hasBinaryContent(bytes);
            assertThat(Files.readSymbolicLink(snapshot.resolve(name)))
                    .isEqualTo(Path.of("../../blobs", FakeHub.hash(bytes)));
        }
        assertThat(root().resolve("blobs").toFile().list()).hasSize(3);
    }

    @Test
    void whatIsThereIsNotFetchedAgain() {
        snapshot();
        int before = hub.requests.size();
        snapshot();
        assertThat(hub.requests.subList(before, hub.requests.size()))
                .hasSize(2)
                .allMatch(r -> r.path().startsWith("/api/"));
    }

    @Test
    void withoutSymbolicLinksTheFilesAreThereAllTheSame() {
        Path snapshot = snapshot("HF_HUB_DISABLE_SYMLINKS", "1");
        assertThat(snapshot.resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(Files.isSymbolicLink(snapshot.resolve(WEIGHTS))).isFalse();
        assertThat(snapshot("HF_HUB_DISABLE_SYMLINKS", "1")).isEqualTo(snapshot);
        assertThat(hub.requests("content")).hasSize(1);
    }

    @Test
    void pullFillsADirectoryThatCanBeEditedWithoutHarmToTheCache() throws IOException {
        Path to = folder.resolve("model");
        Hub client = new Hub(environment(), SHORT);
        client.pull(MODEL, to, Progress.NONE);
        assertThat(to.toFile().list())
                .containsExactlyInAnyOrder("config.json", WEIGHTS, "README.md");
        assertThat(to.resolve(WEIGHTS)).hasBinaryContent(weights);
        Files.writeString(to.resolve("config.json"), "mine", StandardOpenOption.WRITE);
        client.pull(MODEL, to, Progress.NONE);
        assertThat(to.resolve("config.json")).hasContent("{\"model_type\": \"llama\"}");
    }

    @Test
    void progressRisesToTheBytesOfAllFiles() {
        List<Long> done = new ArrayList<>();
        new Hub(environment(), SHORT)
                .snapshot(
                        MODEL,
                        (what, bytes, total, note) -> {
                            assertThat(total).isEqualTo(300_023);
                            done.add(bytes);
                        });
        assertThat(done).isSorted().hasSizeGreaterThan(3).endsWith(300_023L);
    }

    @Test
    void goesOnWhereTheConnectionBroke() {
        hub.breakAt = 100_000;
        hub.breaks.set(2);
        List<Long> done = new CopyOnWriteArrayList<>();
        Path snapshot =
                new Hub(environment(), SHORT)
                        .snapshot(MODEL, (what, bytes, total, note) -> done.add(bytes));
        assertThat(snapshot.resolve(WEIGHTS)).hasBinaryContent(weights);
        List<Long> from = hub.requests("content").stream().map(FakeHub.Request::from).toList();
        // what has arrived is not asked for again; a break may swallow what was sent last
        assertThat(from).hasSize(3).startsWith(0L);
        assertThat(from.get(1)).isBetween(50_000L, 100_000L);
        assertThat(from.get(2) - from.get(1)).isBetween(50_000L, 100_000L);
        assertThat(done).isSorted().endsWith(300_023L);
        assertThat(incomplete()).doesNotExist();
    }

    @Test
    void goesOnInTheNextRun() {
        hub.breakAt = 50_000;
        hub.breaks.set(5);
        fails(this::snapshot, WEIGHTS + " failed 5 times", "run it again", "HF_HUB_OFFLINE");
        long kept = incomplete().toFile().length();
        assertThat(kept).isBetween(125_000L, 250_000L);
        assertThat(root().resolve("refs/main")).doesNotExist();
        assertThat(snapshot().resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(hub.requests("content").getLast().from()).isEqualTo(kept);
    }

    @Test
    void aServerWithoutRangesStartsAnew() {
        hub.breakAt = 100_000;
        hub.breaks.set(1);
        hub.wholeOnly = true;
        List<Long> done = new CopyOnWriteArrayList<>();
        Path snapshot =
                new Hub(environment(), SHORT)
                        .snapshot(MODEL, (what, bytes, total, note) -> done.add(bytes));
        assertThat(snapshot.resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(done).endsWith(300_023L);
    }

    @Test
    void aConnectionThatFallsSilentIsGivenUp() {
        hub.breakAt = 100_000;
        hub.breaks.set(1);
        hub.stalls = true;
        RetryPolicy hasty = new RetryPolicy(Duration.ofMillis(300), Duration.ofMillis(1));
        Path snapshot = new Hub(environment(), hasty).snapshot(MODEL, Progress.NONE);
        assertThat(snapshot.resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(hub.requests("content")).hasSize(2).last().matches(r -> r.from() == 100_000);
    }

    @Test
    void whatArrivesDamagedIsNotKept() {
        hub.corrupt = true;
        fails(this::snapshot, "model.safetensors arrived damaged", "run it again");
        Path name = root().resolve("snapshots").resolve(FakeHub.COMMIT).resolve(WEIGHTS);
        assertThat(name).doesNotExist();
        assertThat(root().resolve("blobs").resolve(FakeHub.hash(weights))).doesNotExist();
        assertThat(root().resolve("refs/main")).doesNotExist();
        hub.corrupt = false;
        assertThat(snapshot().resolve(WEIGHTS)).hasBinaryContent(weights);
    }

    @Test
    void damagedLeftoversOfARunAreFoundOut() throws IOException {
        Files.createDirectories(incomplete().getParent());
        Files.write(incomplete(), new byte[200_000]);
        fails(this::snapshot, "arrived damaged");
        assertThat(snapshot().resolve(WEIGHTS)).hasBinaryContent(weights);
    }

    @Test
    void anotherFileThanTheTreeListsIsRefusedBeforeItIsFetched() {
        hub.linkedElsewhere = true;
        fails(this::snapshot, "the hub lists model.safetensors");
        assertThat(hub.requests("content")).isEmpty();
    }

    @Test
    void theTokenGoesToTheHubAlone() throws IOException {
        hub.hidden = true;
        fails(this::snapshot, "HF_TOKEN", hub.endpoint() + "/org/name");
        snapshot("HF_TOKEN", " secret\n");
        assertThat(hub.requests("content")).hasSize(1).allMatch(r -> r.token().isEmpty());
        assertThat(hub.requests("hub")).anyMatch(r -> r.token().isPresent());
        Files.writeString(folder.resolve("home/token"), "secret\n");
        assertThat(snapshot()).exists();
    }

    @Test
    void aGatedModelNeedsItsLicence() {
        hub.gated = true; // its tree is public, its files are not
        fails(this::snapshot, "gated", "licence at " + hub.endpoint() + "/org/name", "HF_TOKEN");
        fails(() -> snapshot("HF_TOKEN", "wrong"), "the token that is set may not read it");
        assertThat(snapshot("HF_TOKEN", "secret").resolve(WEIGHTS)).hasBinaryContent(weights);
    }

    @Test
    void whatIsNotThereIsNamed() {
        Hub client = new Hub(environment(), SHORT);
        fails(() -> client.snapshot(HubModel.parse("hf:no/body@v2"), Progress.NONE), "no/body");
        fails(
                () -> client.snapshot(HubModel.parse("hf:org/name@v2"), Progress.NONE),
                "org/name has no revision 'v2'");
        hub.files.remove(WEIGHTS);
        fails(this::snapshot, "no checkpoint in Hugging Face form");
    }

    @Test
    void passingFaultsAreWaitedFor() {
        String resolve = "/org/name/resolve/" + FakeHub.COMMIT + "/";
        hub.busy.put("/api/models/org/name/revision/main", 2);
        hub.busy.put(resolve + "config.json", 1);
        hub.busy.put(resolve + WEIGHTS, 3);
        hub.expired = 1; // an address that was signed for a while only
        assertThat(snapshot().resolve(WEIGHTS)).hasBinaryContent(weights);
        hub.busy.put("/api/models/org/name/revision/main", 99);
        fails(this::snapshot, "answered 503, 5 times", "try again later");
    }

    @Test
    void offlineMeansTheCacheAlone() throws IOException {
        fails(() -> snapshot("HF_HUB_OFFLINE", "1"), "org/name", "not in the cache", "unset");
        Path snapshot = snapshot();
        int before = hub.requests.size();
        assertThat(snapshot("HF_HUB_OFFLINE", "1")).isEqualTo(snapshot);
        assertThat(
                        new Hub(environment("TRANSFORMERS_OFFLINE", "true"))
                                .snapshot(
                                        HubModel.parse("hf:org/name@" + FakeHub.COMMIT),
                                        Progress.NONE))
                .isEqualTo(snapshot);
        assertThat(hub.requests).hasSize(before);
        Files.writeString(
                snapshot.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"model.safetensors\", \"b\": \"model-2.safetensors\"}}");
        fails(() -> snapshot("HF_HUB_OFFLINE", "1"), "no model-2.safetensors");
    }

    @Test
    void aHubOutOfReachIsSaid() {
        Hub client = new Hub(environment(), SHORT);
        hub.close();
        fails(
                () -> client.snapshot(MODEL, Progress.NONE),
                "cannot reach 127.0.0.1",
                "HF_ENDPOINT",
                "HF_HUB_OFFLINE");
    }

    @Test
    void filesArriveAtTheSameTimeButNotAllOfThem() {
        hub.gate = new CountDownLatch(4); // one after another, the first would wait for ever
        for (int i = 0; i < 12; i++) {
            hub.files.put("model-" + i + ".safetensors", random(60_000 + i));
        }
        snapshot();
        assertThat(hub.mostAtOnce).hasValue(4);
    }

    @Test
    void oneFailureBreaksTheOthersOff() {
        hub.gate = new CountDownLatch(Integer.MAX_VALUE); // no content ever comes
        hub.files.put("a.json", random(10));
        hub.busy.put("/org/name/resolve/" + FakeHub.COMMIT + "/a.json", 99);
        for (int i = 0; i < 8; i++) {
            hub.files.put("model-" + i + ".safetensors", random(60_000 + i));
        }
        fails(this::snapshot, "503");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../evil.json", "/etc/x.json", "a/../x.json", "..\\\\x.json", ""})
    void aPathThatLeadsOutIsRefused(String path) {
        hub.listed.add(path);
        fails(this::snapshot, "leads out of its folder");
        assertThat(folder.resolve("home/hub")).doesNotExist();
    }

    @Test
    void whatOtherFrameworksNeedIsLeftOut() {
        hub.pageSize = 2; // the tree comes in pages
        hub.listed.addAll(List.of("onnx/model.safetensors", "x.gguf", "tf_model.h5", "a b.json"));
        hub.files.put("consolidated.safetensors", random(70_000)); // the same weights again
        hub.files.put("merges.txt", random(5));
        hub.files.put("LICENSE", random(6));
        assertThat(snapshot().toFile().list())
                .containsExactlyInAnyOrder(
                        "config.json", WEIGHTS, "README.md", "merges.txt", "LICENSE");
    }

    @Test
    void aModelLargerThanTheDiskIsRefusedBeforehand() {
        hub.claimedSize = Long.MAX_VALUE;
        fails(this::snapshot, "make room");
        assertThat(hub.requests("content")).isEmpty();
    }

    @Test
    void revisionsAreBranchesTagsAndReferences() {
        Hub client = new Hub(environment(), SHORT);
        client.snapshot(HubModel.parse("hf:org/name@refs/pr/1"), Progress.NONE);
        assertThat(root().resolve("refs/refs/pr/1")).hasContent(FakeHub.COMMIT);
        client.snapshot(HubModel.parse("hf:org/name@" + FakeHub.COMMIT), Progress.NONE);
        assertThat(root().resolve("refs").resolve(FakeHub.COMMIT)).doesNotExist();
    }
}
