package dev.penjing.model.identity;

import dev.penjing.model.files.Hashes;
import java.util.Map;
import java.util.TreeMap;

/// The key of a cache or of a stage: a SHA-256 hash of values that are named one by one. A value
/// that is not named does not decide the key, so a record may gain, lose or rename a component
/// without making everything that was kept under its key worthless. Whoever changes what a name
/// means raises the version.
///
/// Values are put in by name, in any order. Not thread-safe.
public final class Fingerprint {
    private final String subject;
    private final int version;
    private final Map<String, String> fields = new TreeMap<>();

    private Fingerprint(String subject, int version) {
        this.subject = subject;
        this.version = version;
    }

    /// @param subject what the key is of, such as `evaluation`: two subjects never share a key
    /// @param version of the choice of names and of what they mean
    public static Fingerprint of(String subject, int version) {
        return new Fingerprint(subject, version);
    }

    /// @throws IllegalArgumentException if the name was given before
    public Fingerprint with(String name, String value) {
        if (fields.putIfAbsent(name, value) != null) {
            throw new IllegalArgumentException(name + " is given twice");
        }
        return this;
    }

    public Fingerprint with(String name, long value) {
        return with(name, Long.toString(value));
    }

    public Fingerprint with(String name, boolean value) {
        return with(name, Boolean.toString(value));
    }

    public Fingerprint with(String name, double value) {
        return with(name, Double.toString(value));
    }

    /// The hash, 64 hexadecimal digits.
    public String sha256() {
        StringBuilder text = new StringBuilder();
        append(text, subject, Integer.toString(version));
        fields.forEach((name, value) -> append(text, name, value));
        return Hashes.sha256(text.toString());
    }

    /// Lengths stand before texts, so that no two sets of values are written alike.
    private static void append(StringBuilder text, String name, String value) {
        text.append(name.length()).append(':').append(name);
        text.append(value.length()).append(':').append(value).append('\n');
    }
}
