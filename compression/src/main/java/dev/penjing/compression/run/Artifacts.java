package dev.penjing.compression.run;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.FileHashes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// Files of a run: hashing them, putting them in place whole.
public final class Artifacts {
    private Artifacts() {}

    public static String sha256(Path file) {
        return FileHashes.sha256(file);
    }

    /// Of a model's folder: its configuration, weights and tokenizer, by name.
    public static String sha256OfModel(Path directory) {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(directory)) {
            files.filter(Artifacts::matters)
                    .sorted()
                    .forEach(file ->
                            all.append(file.getFileName())
                                    .append(' ')
                                    .append(sha256(file))
                                    .append('\n'));
        } catch (IOException e) {
            throw new PenjingException("cannot read " + directory + ": " + e.getMessage(), e);
        }
        return sha256(all.toString());
    }

    private static boolean matters(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".safetensors")
                || name.equals("config.json")
                || name.equals("tokenizer.json");
    }

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

    /// Writes a text file aside and moves it into place.
    public static void write(Path file, String text) {
        Path aside = file.resolveSibling(file.getFileName() + ".partial");
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(aside, text);
            Files.move(
                    aside,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new PenjingException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    /// Copies what belongs to a model beside its weights: tokenizer, chat template, generation
    /// settings.
    public static void copyCompanions(Path from, Path to) {
        for (String name :
                List.of(
                        "tokenizer.json",
                        "tokenizer_config.json",
                        "special_tokens_map.json",
                        "generation_config.json",
                        "chat_template.jinja",
                        "tokenizer.model")) {
            Path source = from.resolve(name);
            if (Files.exists(source)) {
                try {
                    Files.copy(source, to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                } catch (IOException e) {
                    throw new PenjingException(
                            "cannot copy %s to %s: %s".formatted(source, to, e.getMessage()), e);
                }
            }
        }
    }

    /// Removes a folder and all in it, if it is there.
    public static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try {
            Files.walkFileTree(
                    directory,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes a)
                                throws IOException {
                            Files.delete(file);
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult postVisitDirectory(
                                Path visited, @org.jspecify.annotations.Nullable IOException e)
                                throws IOException {
                            Files.delete(visited);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw new PenjingException("cannot remove " + directory + ": " + e.getMessage(), e);
        }
    }

    /// The most memory that this process has held, or 0 where the system does not say.
    public static long peakResidentBytes() {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            throw new PenjingException("cannot read " + status + ": " + e.getMessage(), e);
        }
    }
}
