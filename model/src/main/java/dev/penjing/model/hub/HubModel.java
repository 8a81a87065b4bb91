package dev.penjing.model.hub;

import dev.penjing.model.UsageException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A model on a hub: `hf:org/name[@revision]`.
///
/// @param revision a branch, a tag, a reference such as `refs/pr/1`, or a whole commit
public record HubModel(String organisation, String name, String revision) implements HubRepository {
    private static final Pattern FORM = Pattern.compile("hf:([^/@]+)/([^/@]+)(?:@(.+))?");

    /// @throws UsageException if a part is no name on a hub, and so no folder's name either
    public HubModel {
        if (!HubRepository.isNamed(organisation, name, revision)) {
            throw notNamed("hf:" + organisation + "/" + name + "@" + revision);
        }
    }

    /// @throws UsageException if `source` is not of that form
    public static HubModel parse(String source) {
        Matcher matcher = FORM.matcher(source);
        if (!matcher.matches()) {
            throw notNamed(source);
        }
        String revision = matcher.group(3);
        return new HubModel(
                matcher.group(1), matcher.group(2), revision == null ? "main" : revision);
    }

    private static UsageException notNamed(String source) {
        return new UsageException(
                "'%s' names no model on a hub: write hf:org/name or hf:org/name@revision"
                        .formatted(source));
    }

    @Override
    public String kind() {
        return "models";
    }

    @Override
    public String page() {
        return id();
    }
}
