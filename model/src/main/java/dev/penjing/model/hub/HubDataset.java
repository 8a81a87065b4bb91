package dev.penjing.model.hub;

import dev.penjing.model.UsageException;

/// A data set on a hub.
///
/// @param revision as a [HubRepository]'s; the hub's own copy in Parquet is `refs/convert/parquet`
public record HubDataset(String organisation, String name, String revision)
        implements HubRepository {
    /// @throws UsageException if a part is no name on a hub, and so no folder's name either
    public HubDataset {
        if (!HubRepository.isNamed(organisation, name, revision)) {
            throw new UsageException(
                    "'%s/%s@%s' names no data set on a hub: write org/name"
                            .formatted(organisation, name, revision));
        }
    }

    /// @param id `org/name`
    /// @throws UsageException if it is not of that form
    public static HubDataset of(String id, String revision) {
        int slash = id.indexOf('/');
        return new HubDataset(
                id.substring(0, Math.max(slash, 0)), id.substring(slash + 1), revision);
    }

    @Override
    public String kind() {
        return "datasets";
    }

    @Override
    public String page() {
        return "datasets/" + id();
    }
}
