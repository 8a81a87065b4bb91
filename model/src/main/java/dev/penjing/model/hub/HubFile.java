package dev.penjing.model.hub;

import dev.penjing.model.PenjingException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A file of a repository, as the hub's tree lists it.
///
/// @param path within the repository, with `/`
/// @param size in bytes
/// @param hash SHA-256 of the content of a large file; of a small one git's SHA-1, which is that of
///   `blob SIZE\0` and the content. Names the file in the cache, as the hub's `ETag` does
record HubFile(String path, long size, String hash) {
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");

    /// What a checkpoint needs: weights in safetensors, every configuration, the tokenizer, chat
    /// templates, and what the licence asks to keep. Plain names at the top alone: what lies in
    /// folders is for other frameworks.
    private static final Pattern WANTED =
            Pattern.compile(
                    "\\w[\\w.-]*\\.(json|safetensors|jinja|model|md)"
                            + "|(merges|vocab)\\.txt|(LICEN[CS]E|NOTICE)[\\w.-]*");

    HubFile {
        if (size < 0 || !HASH.matcher(hash).matches()) {
            throw new PenjingException(
                    "the hub says neither size nor hash of " + path + ": is HF_ENDPOINT a hub?");
        }
    }

    static boolean isWanted(String path) {
        return WANTED.matcher(path).matches();
    }

    boolean isWeights() {
        return path.endsWith(".safetensors");
    }

    /// Whether `path` could lead out of the folder that it is to stay in.
    static boolean leadsOut(String path) {
        return path.indexOf('\\') >= 0
                || path.indexOf('\0') >= 0
                || List.of(path.split("/", -1)).stream()
                        .anyMatch(s -> s.isEmpty() || s.equals(".") || s.equals(".."));
    }

    /// The path as one of a URL.
    String encodedPath() {
        return Stream.of(path.split("/"))
                .map(s -> URLEncoder.encode(s, StandardCharsets.UTF_8).replace("+", "%20"))
                .collect(Collectors.joining("/"));
    }

    /// The digest that `hash` is, before the content.
    MessageDigest digest() {
        try {
            if (hash.length() == 64) {
                return MessageDigest.getInstance("SHA-256");
            }
            MessageDigest git = MessageDigest.getInstance("SHA-1");
            git.update(("blob " + size + "\0").getBytes(StandardCharsets.UTF_8));
            return git;
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-1 and SHA-256", e);
        }
    }
}
