package dev.penjing.server.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;

/// The keys that clients must show one of. How long a comparison takes tells nothing of a key, not
/// even its length, as hashes are compared.
public final class ApiKeys {
    private final List<byte[]> hashes;

    public ApiKeys(List<String> keys) {
        this.hashes = keys.stream().map(ApiKeys::hash).toList();
    }

    public boolean required() {
        return !hashes.isEmpty();
    }

    /// @param authorization the header: `Bearer KEY`
    /// @throws ApiException if keys are required and this is none
    public void check(Optional<String> authorization) {
        if (!known(authorization)) {
            throw ApiException.unauthorized(
                    authorization.isEmpty()
                            ? "This server needs an API key: send the header Authorization: Bearer KEY."
                            : "The API key is not right.");
        }
    }

    /// Whether this is one of the keys, or none are required.
    public boolean known(Optional<String> authorization) {
        if (!required()) {
            return true;
        }
        String header = authorization.orElse("");
        boolean bearer = header.regionMatches(true, 0, "Bearer ", 0, 7);
        byte[] shown = hash(bearer ? header.substring(7).strip() : "");
        boolean known = false;
        for (byte[] key : hashes) {
            known |= MessageDigest.isEqual(key, shown);
        }
        return known && bearer;
    }

    private static byte[] hash(String key) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
