package dev.penjing.model.files;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// SHA-256, written in hexadecimal.
public final class Hashes {
    private Hashes() {}

    /// Of a file's content. A large file is read once in the life of the process, for as long as it
    /// stays as it is.
    ///
    /// @throws PenjingException if the file cannot be read
    public static String sha256(Path file) {
        return FileHashes.sha256(file);
    }

    /// Of what a stream still holds.
    static String sha256(InputStream in) throws IOException {
        MessageDigest digest = digest();
        byte[] buffer = new byte[1 << 20];
        for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
            digest.update(buffer, 0, n);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /// Of a text in UTF-8.
    public static String sha256(String text) {
        return HexFormat.of().formatHex(digest().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
