package dev.penjing.model.hub;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The client of a model hub. Keeps what it fetches in the hub's own cache layout
/// (`models--org--name/{blobs,refs,snapshots}`, `datasets--org--name/...`), shared with the hub's
/// other clients.
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
    private static final int MOST_PAGES = 1_000;

    private final HubSettings settings;
    private final RetryPolicy retries;

    /// @param environment as `System.getenv()` gives it
    /// @throws dev.penjing.model.UsageException if a variable makes no sense
    public Hub(Map<String, String> environment) {
        this(environment, RetryPolicy.USUAL);
    }

    Hub(Map<String, String> environment, RetryPolicy retries) {
        this.settings = HubSettings.of(environment);
        this.retries = retries;
    }

    /// The model's files in the cache, fetched where they are not there yet: several at once, each
    /// verified, and one that was broken off goes on where it stopped.
    ///
    /// @param progress is told of bytes, of all files together; called by one thread at a time
    /// @return the snapshot's folder
    /// @throws PenjingException if the model is not to be had; says what to do
    public Path snapshot(HubModel model, Progress progress) {
        HubCache cache = new HubCache(settings, model);
        try {
            return settings.offline() ? cached(model, cache) : fetched(model, cache, progress);
        } catch (IOException e) {
            throw failed(cache.folder(), e);
        } catch (InterruptedException e) {
            throw interrupted(model, e);
        }
    }

    /// Makes `to` hold the model's files: weights as hard links into the cache where that can be,
    /// the rest, which people edit, as copies. Files of other names are left alone.
    ///
    /// @throws PenjingException if the model is not to be had; says what to do
    public void pull(HubModel model, Path to, Progress progress) {
        Path snapshot = snapshot(model, progress);
        try (Stream<Path> all = Files.list(snapshot)) {
            Files.createDirectories(to);
            // the configuration last: a folder that has one has the rest
            List<Path> files =
                    all.filter(Files::isRegularFile)
                            .filter(f -> HubFile.isWanted(f.getFileName().toString()))
                            .sorted(Comparator.comparing(f -> f.endsWith("config.json")))
                            .toList();
            for (Path file : files) {
                boolean weights = file.toString().endsWith(".safetensors");
                HubCache.moved(
                        to.resolve(file.getFileName()),
                        aside -> {
                            if (weights) {
                                HubCache.linkOrCopy(file, aside);
                            } else {
                                Files.copy(file.toRealPath(), aside);
                            }
                        });
            }
        } catch (IOException e) {
            throw failed(to, e);
        }
    }

    private Path cached(HubModel model, HubCache cache) throws IOException {
        Optional<Path> snapshot = cache.find(model.revision());
        List<String> lacks = snapshot.isPresent() ? HubCache.lacks(snapshot.get()) : List.of();
        if (snapshot.isEmpty() || !lacks.isEmpty()) {
            throw new PenjingException(
                    "%s at revision %s is not in the cache %s%s and HF_HUB_OFFLINE forbids fetching it: unset it, or copy the model there"
                            .formatted(
                                    model.id(),
                                    model.revision(),
                                    settings.cache(),
                                    lacks.isEmpty() ? "" : " whole (no " + lacks.getFirst() + ")"));
        }
        return snapshot.get();
    }

    private Path fetched(HubModel model, HubCache cache, Progress progress)
            throws IOException, InterruptedException {
        HubTransfer transfer = new HubTransfer(settings, model, retries);
        HubListing listing = listing(transfer, model, HubFile::isWanted);
        List<HubFile> files = listing.files();
        if (files.stream().noneMatch(HubFile::isWeights)) {
            throw new PenjingException(
                    model.id()
                            + " holds no checkpoint in Hugging Face form (*.safetensors): look for a revision or a conversion that does");
        }
        return fetched(transfer, listing, withoutOriginals(files), cache, progress);
    }

    private Path fetched(
            HubTransfer transfer,
            HubListing listing,
            List<HubFile> files,
            HubCache cache,
            Progress progress)
            throws IOException, InterruptedException {
        HubRepository repository = listing.repository();
        cache.create(listing.commit());
        fetchAll(transfer, repository, listing.commit(), files, cache, progress);
        cache.refer(repository.revision(), listing.commit());
        return cache.snapshot(listing.commit());
    }

    /// The files of a data set; offline those of them that are in the cache. None if it has no such
    /// revision.
    ///
    /// @param wanted which paths are of interest
    /// @throws PenjingException if the hub does not show it; says what to do
    public HubListing list(HubDataset set, Predicate<String> wanted) {
        HubCache cache = new HubCache(settings, set);
        try {
            if (!settings.offline()) {
                return listing(new HubTransfer(settings, set, retries), set, wanted);
            }
            Optional<Path> snapshot = cache.find(set.revision());
            List<String> files = snapshot.isEmpty() ? List.of() : HubCache.files(snapshot.get());
            String commit = snapshot.map(s -> s.getFileName().toString()).orElse("");
            return HubListing.ofCache(
                    set, cache.folder(), commit, files.stream().filter(wanted).toList());
        } catch (HubTransfer.NoRevisionException e) {
            return HubListing.of(set, settings, "", List.of());
        } catch (IOException e) {
            throw failed(cache.folder(), e);
        } catch (InterruptedException e) {
            throw interrupted(set, e);
        }
    }

    /// Some files of a data set in the cache, fetched where they are not there yet, as a model's
    /// are.
    ///
    /// @param paths of the listing
    /// @return the snapshot's folder, in which they have these paths
    public Path fetch(HubListing listing, Collection<String> paths, Progress progress) {
        HubRepository repository = listing.repository();
        HubCache cache = new HubCache(settings, repository);
        if (settings.offline()) {
            return cache.snapshot(listing.commit());
        }
        try {
            HubTransfer transfer = new HubTransfer(settings, repository, retries);
            List<HubFile> files =
                    listing.files().stream().filter(f -> paths.contains(f.path())).toList();
            return fetched(transfer, listing, files, cache, progress);
        } catch (IOException e) {
            throw failed(cache.folder(), e);
        } catch (InterruptedException e) {
            throw interrupted(repository, e);
        }
    }

    private static PenjingException interrupted(HubRepository repository, InterruptedException e) {
        Thread.currentThread().interrupt();
        return new PenjingException("fetching " + repository.id() + " was interrupted", e);
    }

    private HubListing listing(
            HubTransfer transfer, HubRepository repository, Predicate<String> wanted)
            throws InterruptedException {
        URI api =
                URI.create(
                        "%s/api/%s/%s"
                                .formatted(
                                        settings.endpoint(), repository.kind(), repository.id()));
        URI asked = URI.create(api + "/revision/" + repository.encodedRevision());
        String commit = json(transfer.page(asked), asked).path("sha").asString("");
        if (!HubRepository.isCommit(commit)) {
            throw new PenjingException(asked + " names no commit: is HF_ENDPOINT a hub?");
        }
        URI tree = URI.create(api + "/tree/" + commit);
        return HubListing.of(
                repository, settings, commit, files(transfer, tree, repository, wanted));
    }

    private static JsonNode json(HubTransfer.Page page, URI uri) {
        try {
            return JSON.readTree(new String(page.body(), StandardCharsets.UTF_8));
        } catch (JacksonException e) {
            throw new PenjingException(
                    uri + " did not answer in JSON: is HF_ENDPOINT a model hub?", e);
        }
    }

    private static List<HubFile> files(
            HubTransfer transfer, URI tree, HubRepository repository, Predicate<String> wanted)
            throws InterruptedException {
        List<HubFile> files = new ArrayList<>();
        Optional<URI> uri = Optional.of(URI.create(tree + "?recursive=true"));
        for (int i = 0; i < MOST_PAGES && uri.isPresent(); i++) {
            HubTransfer.Page page = transfer.page(uri.get());
            for (JsonNode entry : json(page, uri.get())) {
                String path = entry.path("path").asString("");
                if (HubFile.leadsOut(path)) {
                    throw new PenjingException(
                            "%s holds a file '%s', which leads out of its folder: do not trust it"
                                    .formatted(repository.id(), path));
                }
                if (entry.path("type").asString("").equals("file") && wanted.test(path)) {
                    files.add(file(path, entry));
                }
            }
            uri = page.next();
        }
        if (files.size() > MOST_FILES || uri.isPresent()) {
            throw new PenjingException(repository.id() + " holds too many files");
        }
        return files;
    }

    private static HubFile file(String path, JsonNode entry) {
        JsonNode large = entry.path("lfs");
        return large.isObject()
                ? new HubFile(
                        path,
                        large.path("size").asLong(-1),
                        large.path("oid").asString("").replace("sha256:", ""))
                : new HubFile(path, entry.path("size").asLong(-1), entry.path("oid").asString(""));
    }

    /// Some repositories hold the weights twice, in Hugging Face form and, as `consolidated`, in
    /// their author's own.
    private static List<HubFile> withoutOriginals(List<HubFile> files) {
        boolean twice = files.stream().anyMatch(f -> f.isWeights() && f.path().startsWith("model"));
        return files.stream().filter(f -> !(twice && f.path().startsWith("consolidated"))).toList();
    }

    private void fetchAll(
            HubTransfer transfer,
            HubRepository repository,
            String commit,
            List<HubFile> files,
            HubCache cache,
            Progress progress)
            throws IOException, InterruptedException {
        Total total = new Total(files, repository.id(), progress);
        long missing = 0;
        for (HubFile file : files) {
            missing = plus(missing, cache.missing(commit, file));
        }
        requireRoom(cache.folder(), missing);
        ExecutorService pool = Executors.newFixedThreadPool(FILES_AT_ONCE);
        try {
            CompletionService<Boolean> done = new ExecutorCompletionService<>(pool);
            for (HubFile file : files) {
                URI uri =
                        URI.create(
                                "%s/%s/resolve/%s/%s"
                                        .formatted(
                                                settings.endpoint(),
                                                repository.page(),
                                                commit,
                                                file.encodedPath()));
                done.submit(() -> {
                    cache.locked(file, () -> fetch(transfer, uri, commit, file, cache, total));
                    return true;
                });
            }
            for (int i = 0; i < files.size(); i++) {
                done.take().get();
            }
        } catch (ExecutionException e) {
            throw switch (e.getCause()) {
                case PenjingException known -> known;
                case IOException io -> failed(cache.folder(), io);
                case null, default ->
                        new IllegalStateException("fetching " + repository.id() + " failed", e);
            };
        } finally {
            pool.shutdownNow(); // where one file failed the others are broken off, to go on later
            pool.close();
        }
    }

    private static void fetch(
            HubTransfer transfer,
            URI uri,
            String commit,
            HubFile file,
            HubCache cache,
            HubTransfer.Bytes count)
            throws IOException, InterruptedException {
        if (cache.holds(commit, file)) {
            count.arrived(file.size());
        } else {
            transfer.fetch(uri, file, cache.incomplete(file), cache.blob(file), count);
        }
        cache.link(commit, file);
    }

    private static long plus(long a, long b) {
        return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
    }

    /// Adds up what arrives of all files.
    private static final class Total implements HubTransfer.Bytes {
        private final long total;
        private final String note;
        private final Progress progress;
        private long done;

        Total(List<HubFile> files, String note, Progress progress) {
            this.total = files.stream().mapToLong(HubFile::size).reduce(0, Hub::plus);
            this.note = note;
            this.progress = progress;
        }

        @Override
        public synchronized void arrived(long bytes) {
            done += bytes;
            progress.update("pull", done, total, note);
        }
    }

    static void requireRoom(Path folder, long bytes) throws IOException {
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < bytes) {
            throw new PenjingException(
                    "%,d bytes are still to come and %s has room for %,d: make room, or point HF_HOME and `to` elsewhere"
                            .formatted(bytes, folder, free));
        }
    }

    private static PenjingException failed(Path where, IOException e) {
        return new PenjingException(
                "cannot write in %s (%s): make room or mend permissions, or point HF_HOME elsewhere; what came so far is kept"
                        .formatted(where, e.getMessage()),
                e);
    }
}
