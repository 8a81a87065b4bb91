package dev.penjing.model.hub;

import java.nio.file.Path;
import java.util.List;

/// Which files a repository holds at a commit, or, offline, which of them the cache holds.
public final class HubListing {
    private final HubRepository repository;
    private final String where;
    private final String commit;
    private final List<HubFile> files;
    private final List<String> cached;

    private HubListing(
            HubRepository repository,
            String where,
            String commit,
            List<HubFile> files,
            List<String> cached) {
        this.repository = repository;
        this.where = where;
        this.commit = commit;
        this.files = files;
        this.cached = cached;
    }

    static HubListing of(
            HubRepository repository, HubSettings settings, String commit, List<HubFile> files) {
        String where =
                "%s/%s at %s"
                        .formatted(settings.endpoint(), repository.page(), repository.revision());
        return new HubListing(repository, where, commit, files, List.of());
    }

    static HubListing ofCache(
            HubRepository repository, Path folder, String commit, List<String> cached) {
        String where = "the cache %s, and HF_HUB_OFFLINE forbids fetching it".formatted(folder);
        return new HubListing(repository, where, commit, List.of(), cached);
    }

    /// Relative, with `/`.
    public List<String> paths() {
        return cached.isEmpty() ? files.stream().map(HubFile::path).toList() : cached;
    }

    /// Where these files are, for messages.
    public String where() {
        return where;
    }

    HubRepository repository() {
        return repository;
    }

    String commit() {
        return commit;
    }

    List<HubFile> files() {
        return files;
    }
}
