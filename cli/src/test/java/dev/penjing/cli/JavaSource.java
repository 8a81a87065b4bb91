package dev.penjing.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The source of a top-level class of main code, and the string literals in it.
///
/// @param path of the file, or what it is called
record JavaSource(Path path, String text) {
    static final List<String> ROOMS =
            List.of(
                    "model",
                    "world",
                    "compression",
                    "evaluation",
                    "inference",
                    "server",
                    "cli",
                    "bench",
                    "sandbox");

    /// A string literal as it is written, without its quotes.
    record Literal(int line, String text) {}

    /// All of a room's main code.
    static List<JavaSource> ofRoom(String room) {
        try (Stream<Path> files = Files.walk(Path.of("..", room, "src", "main", "java"))) {
            List<JavaSource> all = new ArrayList<>();
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
                all.add(new JavaSource(file, Files.readString(file)));
            }
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The class's simple name.
    String name() {
        String file = String.valueOf(path.getFileName());
        return file.substring(0, file.length() - ".java".length());
    }

    Path folder() {
        return path.resolveSibling("");
    }

    boolean isIn(String aPackage) {
        return text.contains("package " + aPackage + ";");
    }

    /// Every string literal and text block outside of comments.
    List<Literal> literals() {
        List<Literal> found = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            int end;
            if (text.startsWith("//", at)) {
                end = end(at, "\n");
            } else if (text.startsWith("/*", at)) {
                end = end(at + 2, "*/");
            } else if (text.startsWith("\"\"\"", at)) {
                end = endOfQuoted(at + 3, "\"\"\"");
                found.add(new Literal(line(at), text.substring(at + 3, end - 3)));
            } else if (text.charAt(at) == '"') {
                end = endOfQuoted(at + 1, "\"");
                found.add(new Literal(line(at), text.substring(at + 1, end - 1)));
            } else if (text.charAt(at) == '\'') {
                end = endOfQuoted(at + 1, "'");
            } else {
                end = at + 1;
            }
            at = end;
        }
        return found;
    }

    private int line(int at) {
        return 1 + (int) text.substring(0, at).chars().filter(c -> c == '\n').count();
    }

    private int end(int from, String mark) {
        int end = text.indexOf(mark, from);
        return end < 0 ? text.length() : end + mark.length();
    }

    private int endOfQuoted(int from, String quotes) {
        for (int i = from; i < text.length(); i++) {
            if (text.charAt(i) == '\\') {
                i++;
            } else if (text.startsWith(quotes, i)) {
                return i + quotes.length();
            }
        }
        throw new IllegalStateException(path + " ends within a literal");
    }
}
