package dev.penjing.model.files;

import dev.penjing.model.PenjingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// SHA-256, written in hexadecimal.
public final class Hashes {
    private Hashes() {}

    /// Of a file's content, which is read whole, but once.
    ///
    /// @throws PenjingException if the file cannot be read
    public static String sha256(Path file) {
        return FileHashes.sha256(file);
    }

    /// Of a text in UTF-8.
    public static String sha256(String text) {
        return HexFormat.of().formatHex(digest().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
