package dev.penjing.cli;

import dev.penjing.model.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// Where a command may write: never over what it reads.
final class Targets {
    private Targets() {}

    /// @param to what `--to` names
    /// @param sources what the result is made from: paths, or sources on the hub
    /// @throws UsageException if one of them is the target, under whatever name
    static void keepApart(Path to, String... sources) {
        for (String source : sources) {
            if (isSame(to, source)) {
                throw new UsageException(
                        "--to is %s, which would be overwritten while it is read: name another place"
                                .formatted(source));
            }
        }
    }

    private static boolean isSame(Path to, String source) {
        try {
            Path from = Path.of(source);
            return Files.exists(from) && Files.exists(to) && Files.isSameFile(from, to);
        } catch (InvalidPathException | IOException e) {
            // it is no path, or none that can be read: who reads it will say so
            return false;
        }
    }
}
