package dev.penjing.model.hub;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What the environment says of the hub; the same variables, in the same order of precedence, as
/// its Python client reads (huggingface_hub, `constants.py` and `utils/_auth.py`).
///
/// @param endpoint without a slash at its end
/// @param cache the folder that holds the `models--...` and `datasets--...` folders
/// @param symlinks whether the cache may use symbolic links
record HubSettings(
        URI endpoint, Path cache, Optional<String> token, boolean offline, boolean symlinks) {

    static HubSettings of(Map<String, String> environment) {
        String user = first(environment, "HOME").orElse(System.getProperty("user.home"));
        Path home =
                first(environment, "HF_HOME")
                        .map(s -> path(s, user))
                        .orElseGet(() ->
                                first(environment, "XDG_CACHE_HOME")
                                        .map(s -> path(s, user))
                                        .orElse(Path.of(user, ".cache"))
                                        .resolve("huggingface"));
        Path cache =
                first(environment, "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
                        .map(s -> path(s, user))
                        .orElse(home.resolve("hub"));
        Path tokenFile =
                first(environment, "HF_TOKEN_PATH")
                        .map(s -> path(s, user))
                        .orElse(home.resolve("token"));
        Optional<String> token =
                first(environment, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
                        .or(() -> content(tokenFile))
                        .map(s -> s.replaceAll("[\\r\\n]", "").strip())
                        .filter(s -> !s.isEmpty());
        if (token.isPresent() && !token.get().matches("[\\x21-\\x7e]+")) {
            throw new UsageException(
                    "the access token holds characters that no token has: check HF_TOKEN, or the file "
                            + tokenFile);
        }
        return new HubSettings(
                endpoint(first(environment, "HF_ENDPOINT").orElse("https://huggingface.co")),
                cache.toAbsolutePath().normalize(),
                token,
                isTrue(first(environment, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")),
                !isTrue(first(environment, "HF_HUB_DISABLE_SYMLINKS")));
    }

    /// The first of these variables that says anything.
    private static Optional<String> first(Map<String, String> environment, String... names) {
        return List.of(names).stream()
                .filter(name -> !environment.getOrDefault(name, "").isBlank())
                .findFirst()
                .map(environment::get);
    }

    private static boolean isTrue(Optional<String> value) {
        return value.map(s -> s.toLowerCase(Locale.ROOT))
                .filter(List.of("1", "true", "yes", "on")::contains)
                .isPresent();
    }

    private static Path path(String said, String user) {
        try {
            return Path.of(
                    said.equals("~") || said.startsWith("~/") ? user + said.substring(1) : said);
        } catch (InvalidPathException e) {
            throw new UsageException("'" + said + "' is no path: check the HF_ variables");
        }
    }

    private static URI endpoint(String said) {
        try {
            URI uri = new URI(said.strip().replaceAll("/+$", ""));
            if (("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()))
                    && uri.getHost() != null
                    && uri.getQuery() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // said below
        }
        throw new UsageException(
                "HF_ENDPOINT is '%s', which is no address of a hub: write https://HOST"
                        .formatted(said));
    }

    private static Optional<String> content(Path file) {
        try {
            return Files.isRegularFile(file)
                    ? Optional.of(Files.readString(file))
                    : Optional.empty();
        } catch (IOException e) {
            throw new PenjingException(
                    "cannot read the access token in %s (%s): mend its permissions, or set HF_TOKEN"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }
}
