package dev.penjing.model.hub;

import dev.penjing.model.UsageException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A model on a hub: `hf:org/name[@revision]`.
///
/// @param revision a branch, a tag, a reference such as `refs/pr/1`, or a whole commit
public record HubModel(String organisation, String name, String revision) {
    private static final Pattern FORM = Pattern.compile("hf:([^/@]+)/([^/@]+)(?:@(.+))?");
    private static final Pattern PART = Pattern.compile("\\w[\\w.-]{0,95}");
    private static final Pattern REVISION = Pattern.compile("\\w[\\w.+/-]{0,254}");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /// @throws UsageException if a part is no name on a hub, and so no folder's name either
    public HubModel {
        // "--" stands for "/" in the cache; ".." would lead out of it
        boolean named =
                isName(organisation)
                        && isName(name)
                        && REVISION.matcher(revision).matches()
                        && !revision.contains("..")
                        && !revision.contains("//")
                        && !revision.endsWith("/");
        if (!named) {
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

    private static boolean isName(String part) {
        return PART.matcher(part).matches() && !part.contains("..") && !part.contains("--");
    }

    private static UsageException notNamed(String source) {
        return new UsageException(
                "'%s' names no model on a hub: write hf:org/name or hf:org/name@revision"
                        .formatted(source));
    }

    static boolean isCommit(String revision) {
        return COMMIT.matcher(revision).matches();
    }

    String id() {
        return organisation + "/" + name;
    }

    /// The revision as one segment of a URL.
    String encodedRevision() {
        return URLEncoder.encode(revision, StandardCharsets.UTF_8);
    }

    /// The model's folder in the hub's own cache layout.
    String cacheFolder() {
        return "models--" + organisation + "--" + name;
    }
}
