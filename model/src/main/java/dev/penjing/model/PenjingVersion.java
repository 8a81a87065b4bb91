package dev.penjing.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.Properties;

/// Which Penjing this is: the version of its artifacts and the commit that they were built from.
/// The build writes both into `version.properties`, and nothing else in the house repeats them.
public final class PenjingVersion {
    /// The commit of a build outside a Git checkout.
    public static final String UNKNOWN = "unknown";

    private static final Properties BUILT = read();

    private PenjingVersion() {}

    /// The artifacts' version, such as `0.1.0-SNAPSHOT`.
    public static String version() {
        return built("version");
    }

    /// The commit's 40 hexadecimal digits, followed by `-dirty` if tracked files had been changed
    /// since; [#UNKNOWN] if the build saw no Git checkout.
    public static String commit() {
        return built("dirty").equals("true") ? built("commit") + "-dirty" : built("commit");
    }

    private static String built(String key) {
        return Objects.requireNonNull(BUILT.getProperty(key), key);
    }

    private static Properties read() {
        Properties built = new Properties();
        try (InputStream file = PenjingVersion.class.getResourceAsStream("version.properties")) {
            if (file == null) {
                throw new IllegalStateException(
                        "version.properties is not beside the classes: build room model by Maven");
            }
            built.load(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return built;
    }
}
