package dev.penjing.model.hub;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The client of a model hub. Keeps what it fetches in the hub's own cache layout
/// (`models--org--name/{blobs,refs,snapshots}`), shared with the hub's other clients.
///
/// | variable | meaning |
/// | --- | --- |
/// | `HF_ENDPOINT` | the hub, `https://huggingface.co` unless given |
/// | `HF_HOME`, `HF_HUB_CACHE` | where the cache is, `~/.cache/huggingface[/hub]` unless given |
/// | `HF_TOKEN` | the access token; else the file `token` in `HF_HOME` |
/// | `HF_HUB_OFFLINE` | 1: use the cache alone |
public final class Hub {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int FILES_AT_ONCE = 4;
    private static final int MOST_FILES = 10_000;

    private final Map<String, String> environment;
    private final Path home;
    private final Path cache;
    private final boolean offline;

    /// @param environment as `System.getenv()` gives it
    public Hub(Map<String, String> environment) {
        this.environment = environment;
        String user = System.getProperty("user.home");
        this.home = Path.of(environment.getOrDefault("HF_HOME", user + "/.cache/huggingface"));
        this.cache =
                Optional.ofNullable(environment.get("HF_HUB_CACHE"))
                        .map(Path::of)
                        .orElse(home.resolve("hub"));
        this.offline =
                List.of("1", "true", "yes", "on")
                        .contains(
                                environment
                                        .getOrDefault("HF_HUB_OFFLINE", "")
                                        .toLowerCase(java.util.Locale.ROOT));
    }

    /// A file of a repository.
    ///
    /// @param hash SHA-256 of the content of a large file, git's SHA-1 of a small one
    record Entry(String path, long size, String hash) {
        boolean large() {
            return hash.length() == 64;
        }
    }

    /// The model's files in the cache, fetched where they are not there yet.
    ///
    /// @return the snapshot's folder
    /// @throws PenjingException if the model is not to be had; says what to do
    public Path snapshot(HubModel model, Progress progress) {
        Path folder = cache.resolve(model.cacheFolder());
        if (offline) {
            return cached(model, folder);
        }
        HubTransfer transfer = new HubTransfer(endpoint(), token());
        JsonNode info =
                json(
                        transfer,
                        "/api/models/" + model.id() + "/revision/" + model.revision(),
                        model);
        String commit = info.path("sha").asString("");
        if (!commit.matches("[0-9a-f]{40}")) {
            throw new PenjingException(
                    "the hub at " + endpoint() + " gave no commit for " + model.id());
        }
        List<Entry> entries = entries(transfer, model, commit);
        Path snapshot = folder.resolve("snapshots").resolve(commit);
        fetchAll(transfer, model, commit, entries, folder, snapshot, progress);
        try {
            Path ref = folder.resolve("refs").resolve(model.revision());
            Files.createDirectories(ref.getParent());
            Files.writeString(ref, commit);
        } catch (IOException e) {
            throw failed(folder, e);
        }
        return snapshot;
    }

    /// Makes `to` hold the model's files.
    public void pull(HubModel model, Path to, Progress progress) {
        Path snapshot = snapshot(model, progress);
        try (Stream<Path> files = Files.list(snapshot)) {
            Files.createDirectories(to);
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(file.getFileName());
                Path aside = to.resolve(file.getFileName() + ".partial");
                Files.deleteIfExists(aside);
                try {
                    Files.createLink(aside, file.toRealPath());
                } catch (IOException | UnsupportedOperationException e) {
                    Files.copy(file, aside);
                }
                Files.move(
                        aside,
                        target,
                        StandardCopyOption.ATOMIC_MOVE,
                        StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw failed(to, e);
        }
    }

    private Path cached(HubModel model, Path folder) {
        Path ref = folder.resolve("refs").resolve(model.revision());
        try {
            String commit = Files.exists(ref) ? Files.readString(ref).strip() : model.revision();
            Path snapshot = folder.resolve("snapshots").resolve(commit).normalize();
            if (snapshot.startsWith(folder) && Files.isDirectory(snapshot)) {
                return snapshot;
            }
        } catch (IOException e) {
            throw failed(ref, e);
        }
        throw new PenjingException(
                "%s is not in the cache %s and HF_HUB_OFFLINE forbids fetching it: unset it, or copy the model there"
                        .formatted(model.id(), cache));
    }

    private String endpoint() {
        String endpoint = environment.getOrDefault("HF_ENDPOINT", "https://huggingface.co");
        return endpoint.endsWith("/") ? endpoint.substring(0, endpoint.length() - 1) : endpoint;
    }

    private Optional<String> token() {
        String token = environment.get("HF_TOKEN");
        if (token != null && !token.isBlank()) {
            return Optional.of(token.strip());
        }
        Path file =
                Optional.ofNullable(environment.get("HF_TOKEN_PATH"))
                        .map(Path::of)
                        .orElse(home.resolve("token"));
        try {
            return Files.isReadable(file)
                    ? Optional.of(Files.readString(file).strip()).filter(t -> !t.isEmpty())
                    : Optional.empty();
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    private JsonNode json(HubTransfer transfer, String path, HubModel model) {
        HttpResponse<byte[]> response = transfer.get(URI.create(endpoint() + path));
        requireFound(response.statusCode(), model);
        try {
            return JSON.readTree(new String(response.body(), StandardCharsets.UTF_8));
        } catch (JacksonException e) {
            throw new PenjingException(
                    endpoint() + path + " did not answer in JSON: is HF_ENDPOINT a model hub?", e);
        }
    }

    private void requireFound(int status, HubModel model) {
        String page = endpoint() + "/" + model.id();
        switch (status) {
            case 200 -> {}
            case 401, 403 ->
                    throw new PenjingException(
                            "the hub does not let us at %s: set HF_TOKEN to your access token, and accept the licence at %s if there is one"
                                    .formatted(model.id(), page));
            case 404 ->
                    throw new PenjingException(
                            "there is no %s at revision %s on %s: check the spelling, or set HF_TOKEN if it is private"
                                    .formatted(model.id(), model.revision(), endpoint()));
            default ->
                    throw new PenjingException(
                            "the hub answered %d for %s: try again later".formatted(status, page));
        }
    }

    private List<Entry> entries(HubTransfer transfer, HubModel model, String commit) {
        JsonNode tree =
                json(
                        transfer,
                        "/api/models/" + model.id() + "/tree/" + commit + "?recursive=true",
                        model);
        List<Entry> entries = new ArrayList<>();
        for (JsonNode file : tree) {
            String path = file.path("path").asString("");
            if (!file.path("type").asString("").equals("file") || !wanted(path)) {
                continue;
            }
            JsonNode large = file.path("lfs");
            String hash =
                    large.isObject()
                            ? large.path("oid").asString("").replace("sha256:", "")
                            : file.path("oid").asString("");
            long size =
                    large.isObject() ? large.path("size").asLong(-1) : file.path("size").asLong(-1);
            if (size < 0 || !hash.matches("[0-9a-f]{40}|[0-9a-f]{64}")) {
                throw new PenjingException("the hub says neither size nor hash of " + path);
            }
            entries.add(new Entry(path, size, hash));
        }
        if (entries.isEmpty() || entries.size() > MOST_FILES) {
            throw new PenjingException(
                    model.id() + " holds no checkpoint in Hugging Face form (*.safetensors)");
        }
        return entries;
    }

    /// What a checkpoint needs: plain files at the top, no other framework's weights.
    static boolean wanted(String path) {
        return path.matches("[\\w][\\w.-]*\\.(json|safetensors|jinja|model|md)|LICEN[CS]E[\\w.]*");
    }

    private void fetchAll(
            HubTransfer transfer,
            HubModel model,
            String commit,
            List<Entry> entries,
            Path folder,
            Path snapshot,
            Progress progress) {
        long total = entries.stream().mapToLong(Entry::size).sum();
        AtomicLong done = new AtomicLong();
        HubTransfer.Bytes count =
                bytes -> progress.update("pull", done.addAndGet(bytes), total, model.id());
        Path locks = cache.resolve(".locks").resolve(model.cacheFolder());
        try (ExecutorService pool = Executors.newFixedThreadPool(FILES_AT_ONCE)) {
            Files.createDirectories(folder.resolve("blobs"));
            Files.createDirectories(snapshot);
            requireRoom(folder, total);
            List<Future<?>> fetched = new ArrayList<>();
            for (Entry entry : entries) {
                URI uri =
                        URI.create(
                                "%s/%s/resolve/%s/%s"
                                        .formatted(endpoint(), model.id(), commit, entry.path()));
                Path blob = folder.resolve("blobs").resolve(entry.hash());
                fetched.add(
                        pool.submit(() -> {
                            transfer.fetch(uri, entry, blob, locks, count);
                            link(snapshot.resolve(entry.path()), blob);
                            return true;
                        }));
            }
            for (Future<?> future : fetched) {
                future.get();
            }
        } catch (IOException e) {
            throw failed(folder, e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof PenjingException known
                    ? known
                    : new PenjingException(
                            "fetching " + model.id() + " failed: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("fetching " + model.id() + " was interrupted", e);
        }
    }

    private static void requireRoom(Path folder, long bytes) throws IOException {
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < bytes) {
            throw new PenjingException(
                    "the model takes %,d bytes and %s has %,d left: make room, or point HF_HOME elsewhere"
                            .formatted(bytes, folder, free));
        }
    }

    private static void link(Path name, Path blob) throws IOException {
        if (Files.exists(name)) {
            return;
        }
        Files.deleteIfExists(name);
        try {
            Files.createSymbolicLink(
                    name, Path.of("../..").resolve("blobs").resolve(blob.getFileName()));
        } catch (UnsupportedOperationException | IOException e) {
            Files.copy(blob, name, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static PenjingException failed(Path where, IOException e) {
        return new PenjingException("cannot use " + where + ": " + e.getMessage(), e);
    }
}
