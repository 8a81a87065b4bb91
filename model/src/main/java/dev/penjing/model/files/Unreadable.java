package dev.penjing.model.files;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Why a file that should be there cannot be read, in words.
public final class Unreadable {
    private Unreadable() {}

    /// @param what the file should be: `a .gguf file`
    public static PenjingException file(Path path, String what, IOException e) {
        if (Files.isDirectory(path)) {
            return new PenjingException("%s is a folder: give %s".formatted(path, what), e);
        }
        if (e instanceof NoSuchFileException) {
            return new PenjingException("there is no file %s".formatted(path), e);
        }
        if (e instanceof AccessDeniedException) {
            return new PenjingException("there is no right to read %s".formatted(path), e);
        }
        return new PenjingException("cannot read %s: %s".formatted(path, e.getMessage()), e);
    }
}
