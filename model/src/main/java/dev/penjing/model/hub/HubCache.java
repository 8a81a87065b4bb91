package dev.penjing.model.hub;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A repository's folder in the hub's own cache layout, shared with the hub's other clients; of a
/// data set it is `datasets--org--name`:
///
///     models--org--name/blobs/HASH              the contents
///     models--org--name/refs/main               the commit that a branch or tag is at
///     models--org--name/snapshots/COMMIT/NAME   links to ../../blobs/HASH
///
/// What has its final name is whole: everything is written aside and moved.
final class HubCache {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// The most bytes of an index of shards that we read.
    private static final long LONGEST_INDEX = 64L << 20;

    /// Holds off the threads of this process; file locks hold off other processes.
    private static final Map<Path, Lock> LOCKS = new ConcurrentHashMap<>();

    private final Path folder;
    private final Path locks;
    private final boolean symlinks;

    HubCache(HubSettings settings, HubRepository repository) {
        this.folder = settings.cache().resolve(repository.cacheFolder());
        this.locks = settings.cache().resolve(".locks").resolve(repository.cacheFolder());
        this.symlinks = settings.symlinks();
    }

    Path folder() {
        return folder;
    }

    Path blob(HubFile file) {
        return folder.resolve("blobs").resolve(file.hash());
    }

    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    /// Where the first bytes of a file wait for the rest, from one run to the next. Not the name
    /// that older Python clients use: their lock does not hold us off, nor ours them.
    Path incomplete(HubFile file) {
        return folder.resolve("blobs").resolve(file.hash() + ".penjing.incomplete");
    }

    /// Whether the content is here, by size: what has its final name was verified when it came.
    boolean holds(String commit, HubFile file) throws IOException {
        return hasSize(blob(file), file) || hasSize(snapshot(commit).resolve(file.path()), file);
    }

    private static boolean hasSize(Path path, HubFile file) throws IOException {
        return Files.isRegularFile(path) && Files.size(path) == file.size();
    }

    /// Bytes of `file` that are still to be fetched.
    long missing(String commit, HubFile file) throws IOException {
        if (holds(commit, file)) {
            return 0;
        }
        Path incomplete = incomplete(file);
        long have = Files.isRegularFile(incomplete) ? Files.size(incomplete) : 0;
        return Math.max(0, file.size() - have);
    }

    void create(String commit) throws IOException {
        Files.createDirectories(folder.resolve("blobs"));
        Files.createDirectories(snapshot(commit));
        Files.createDirectories(locks);
    }

    /// What is to be done by one thread of one process at a time.
    interface Task {
        void run() throws IOException, InterruptedException;
    }

    void locked(HubFile file, Task task) throws IOException, InterruptedException {
        Path path = locks.resolve(file.hash() + ".lock");
        Lock here = LOCKS.computeIfAbsent(path, p -> new ReentrantLock());
        here.lockInterruptibly();
        try (FileChannel channel =
                        FileChannel.open(
                                path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = channel.lock()) {
            assert held.isValid();
            task.run();
        } finally {
            here.unlock();
        }
    }

    /// Gives the blob its name in the snapshot: by a relative symbolic link as the hub's clients
    /// do; where there are none, by a hard link or a copy.
    void link(String commit, HubFile file) throws IOException {
        Path name = snapshot(commit).resolve(file.path());
        if (hasSize(name, file)) {
            return;
        }
        Path blob = blob(file);
        Path folder = Files.createDirectories(name.resolveSibling(".").normalize());
        moved(
                name,
                aside -> {
                    if (symlinks) {
                        try {
                            Files.createSymbolicLink(aside, folder.relativize(blob));
                            return;
                        } catch (IOException | UnsupportedOperationException e) {
                            Files.deleteIfExists(aside);
                        }
                    }
                    linkOrCopy(blob, aside);
                });
    }

    /// Writes something under a name that nobody else uses.
    interface Writing {
        void to(Path aside) throws IOException;
    }

    /// Writes aside, files or links, and puts that at `target`, whatever is there now.
    static void moved(Path target, Writing writing) throws IOException {
        Path aside =
                target.resolveSibling(
                        "." + target.getFileName() + "." + UUID.randomUUID() + ".partial");
        try {
            writing.to(aside);
            AtomicFile.putInPlace(aside, target);
        } finally {
            Files.deleteIfExists(aside);
        }
    }

    static void linkOrCopy(Path from, Path to) throws IOException {
        Path real = from.toRealPath();
        try {
            Files.createLink(to, real);
        } catch (IOException | UnsupportedOperationException e) {
            Hub.requireRoom(to.toAbsolutePath().resolve("..").normalize(), Files.size(real));
            Files.copy(real, to);
        }
    }

    /// Notes which commit a branch or tag is at.
    void refer(String revision, String commit) throws IOException {
        Path ref = folder.resolve("refs").resolve(revision);
        if (revision.equals(commit)
                || Files.isRegularFile(ref) && Files.readString(ref).strip().equals(commit)) {
            return;
        }
        AtomicFile.write(ref, commit);
    }

    /// The snapshot of a revision, if the cache knows it.
    Optional<Path> find(String revision) throws IOException {
        Path ref = folder.resolve("refs").resolve(revision);
        String commit = Files.isRegularFile(ref) ? Files.readString(ref).strip() : revision;
        return Optional.of(commit)
                .filter(HubRepository::isCommit)
                .map(this::snapshot)
                .filter(Files::isDirectory);
    }

    /// The files of a snapshot, relative, with `/`.
    static List<String> files(Path snapshot) throws IOException {
        try (Stream<Path> all = Files.walk(snapshot)) {
            return all.filter(Files::isRegularFile)
                    .map(p -> snapshot.relativize(p).toString().replace('\\', '/'))
                    .sorted()
                    .toList();
        }
    }

    /// The names of files that a snapshot lacks to be a checkpoint; it may have been left half
    /// done, by us or by another client.
    static List<String> lacks(Path snapshot) throws IOException {
        List<String> lacks = new ArrayList<>();
        if (!Files.exists(snapshot.resolve("config.json"))) {
            lacks.add("config.json");
        }
        Path index = snapshot.resolve("model.safetensors.index.json");
        if (Files.exists(index)) {
            shards(index).stream()
                    .filter(shard -> !Files.exists(snapshot.resolve(shard)))
                    .forEach(lacks::add);
            return lacks;
        }
        try (Stream<Path> files = Files.list(snapshot)) {
            if (files.noneMatch(p -> p.toString().endsWith(".safetensors") && Files.exists(p))) {
                lacks.add("model.safetensors");
            }
        }
        return lacks;
    }

    private static List<String> shards(Path index) throws IOException {
        if (Files.size(index) > LONGEST_INDEX) {
            throw new PenjingException(index + " is too long for an index of shards: pull again");
        }
        try {
            return JSON.readTree(Files.readAllBytes(index))
                    .path("weight_map")
                    .valueStream()
                    .map(JsonNode::asString)
                    .filter(HubFile::isWanted)
                    .distinct()
                    .sorted()
                    .toList();
        } catch (JacksonException e) {
            throw new PenjingException(index + " is no JSON: delete it and pull again", e);
        }
    }
}
