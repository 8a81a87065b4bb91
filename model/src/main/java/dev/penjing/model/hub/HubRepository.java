package dev.penjing.model.hub;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/// A repository on a hub, at a revision: a branch, a tag, a reference such as `refs/pr/1`, or a
/// whole commit.
public sealed interface HubRepository permits HubModel, HubDataset {
    String organisation();

    String name();

    String revision();

    /// What it is one of, as the hub's API and cache say: `models` or `datasets`.
    String kind();

    /// The path of its page, and of its files, below the hub's address.
    String page();

    default String id() {
        return organisation() + "/" + name();
    }

    /// The revision as one segment of a URL.
    default String encodedRevision() {
        return URLEncoder.encode(revision(), StandardCharsets.UTF_8);
    }

    /// The repository's folder in the hub's own cache layout.
    default String cacheFolder() {
        return kind() + "--" + organisation() + "--" + name();
    }

    /// Whether all parts are names on a hub, and so of folders too.
    static boolean isNamed(String organisation, String name, String revision) {
        // "--" stands for "/" in the cache; ".." would lead out of it
        return Names.isName(organisation)
                && Names.isName(name)
                && Names.REVISION.matcher(revision).matches()
                && !revision.contains("..")
                && !revision.contains("//")
                && !revision.endsWith("/");
    }

    static boolean isCommit(String revision) {
        return Names.COMMIT.matcher(revision).matches();
    }

    /// What the parts look like.
    final class Names {
        private static final Pattern PART = Pattern.compile("\\w[\\w.-]{0,95}");
        private static final Pattern REVISION = Pattern.compile("\\w[\\w.+/-]{0,254}");
        private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

        private Names() {}

        private static boolean isName(String part) {
            return PART.matcher(part).matches() && !part.contains("..") && !part.contains("--");
        }
    }
}
