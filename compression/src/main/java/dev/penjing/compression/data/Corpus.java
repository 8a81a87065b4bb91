package dev.penjing.compression.data;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.rows.Compressed;
import dev.penjing.model.rows.Rows;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MappingIterator;
import tools.jackson.databind.json.JsonMapper;

/// Text files as a stream of documents: a line of a `.jsonl` file is a document (its `text`), an
/// object of a `.json` file and a row of a `.csv` or `.parquet` file too, any other file is one. A
/// directory stands for the `.jsonl`, `.ndjson`, `.txt` and `.parquet` files in it, by name. Files
/// may be compressed by gzip or zstd.
///
/// @param files each of them readable, in the order given
/// @param notes what of each folder was taken and what was left out
public record Corpus(List<Path> files, List<String> notes) {
    /// Names of files that a note lists.
    private static final int NAMED = 5;

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// A plain text longer than this is cut into documents of about this many characters, at the
    /// end of a line, so that no file need fit in memory.
    private static final int LONGEST = 1 << 20;

    /// Characters of a line of JSON: it is in memory as a whole, several times.
    private static final int LONGEST_LINE = 32_000_000;

    /// @throws PenjingException if a path cannot be read or a directory holds no text
    /// @throws UsageException if a path is empty: it would be the current folder
    public static Corpus of(List<Path> paths) {
        List<Path> files = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (Path path : paths) {
            if (path.toString().isEmpty()) {
                throw new UsageException(
                        "a path of `data` is empty: is a variable of the shell not set?");
            }
            if (Files.isDirectory(path)) {
                files.addAll(textsIn(path, notes));
            } else if (Files.isReadable(path)) {
                TextFormat.of(path);
                files.add(path);
            } else {
                throw new PenjingException(
                        "cannot read "
                                + path
                                + ": give `data` as a .jsonl file ({\"text\": ...} a line), a text"
                                + " file or a folder of them");
            }
        }
        return new Corpus(List.copyOf(files), List.copyOf(notes));
    }

    private static List<Path> textsIn(Path directory, List<String> notes) {
        try (Stream<Path> entries = Files.list(directory)) {
            List<Path> texts = new ArrayList<>();
            List<Path> others = new ArrayList<>();
            for (Path entry : entries.sorted().toList()) {
                boolean text = Files.isRegularFile(entry) && TextFormat.isTextInFolder(entry);
                (text ? texts : others).add(entry);
            }
            if (texts.isEmpty()) {
                throw new PenjingException(
                        directory
                                + " holds no .jsonl, .ndjson, .txt or .parquet file: name the text in `data`");
            }
            notes.add("%s: read %s; left out %s".formatted(directory, named(texts), named(others)));
            return texts;
        } catch (IOException e) {
            throw new PenjingException("cannot list " + directory + ": " + e.getMessage(), e);
        }
    }

    private static String named(List<Path> files) {
        if (files.isEmpty()) {
            return "nothing";
        }
        String names =
                files.stream()
                        .limit(NAMED)
                        .map(file -> file.getFileName().toString())
                        .collect(Collectors.joining(", "));
        int more = files.size() - NAMED;
        return more > 0 ? "%s and %,d more".formatted(names, more) : names;
    }

    /// How a file is taken apart, which decides its documents beside its bytes.
    public static String reading(Path file) {
        return switch (TextFormat.of(file)) {
            case LINES -> "lines";
            case OBJECTS -> "objects";
            case TABLE -> "table";
            case PLAIN -> "whole";
        };
    }

    /// Calls `document` with each document in order.
    public void forEach(Consumer<String> document) {
        for (Path file : files) {
            TextFormat format = TextFormat.of(file);
            if (format == TextFormat.TABLE) {
                table(file, document);
                continue;
            }
            try (BufferedReader reader = open(file)) {
                switch (format) {
                    case LINES -> lines(file, reader, document);
                    case OBJECTS -> objects(file, reader, document);
                    case PLAIN, TABLE -> plain(reader, document);
                }
            } catch (CharacterCodingException e) {
                throw new PenjingException(
                        file + " is not UTF-8 text: convert it first (iconv -t utf-8)", e);
            } catch (IOException e) {
                throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }
    }

    private static BufferedReader open(Path file) throws IOException {
        return new BufferedReader(
                new InputStreamReader(
                        Compressed.open(file),
                        StandardCharsets.UTF_8
                                .newDecoder()
                                .onMalformedInput(CodingErrorAction.REPORT)),
                1 << 16);
    }

    private static void table(Path file, Consumer<String> document) {
        Rows.readAll(
                file,
                row -> {
                    JsonNode text = row.path("text");
                    if (!text.isString()) {
                        throw new PenjingException(
                                "%s has a row without \"text\"; its columns are %s: name one of them text"
                                        .formatted(file, String.join(", ", row.propertyNames())));
                    }
                    document.accept(text.stringValue());
                    return true;
                });
    }

    private static void lines(Path file, BufferedReader reader, Consumer<String> document)
            throws IOException {
        int number = 1;
        StringBuilder line = new StringBuilder();
        char[] buffer = new char[1 << 16];
        for (int count = reader.read(buffer); count > 0; count = reader.read(buffer)) {
            int from = 0;
            for (int i = 0; i < count; i++) {
                if (buffer[i] == '\n') {
                    line.append(buffer, from, i - from);
                    line(file, number++, line.toString(), document);
                    line.setLength(0);
                    from = i + 1;
                }
            }
            line.append(buffer, from, count - from);
            if (line.length() > LONGEST_LINE) {
                throw new PenjingException(
                        "%s line %d has more than %,d characters: cut the document into several"
                                .formatted(file, number, LONGEST_LINE));
            }
        }
        line(file, number, line.toString(), document);
    }

    private static void line(Path file, int number, String line, Consumer<String> document) {
        if (!line.isBlank()) {
            try {
                JsonNode text = JsonText.parse(line).path("text");
                if (!text.isString()) {
                    throw new PenjingException(
                            "%s line %d has no \"text\": each line must be an object with one"
                                    .formatted(file, number));
                }
                document.accept(text.stringValue());
            } catch (JacksonException e) {
                throw new PenjingException(
                        "%s line %d is not JSON: %s".formatted(file, number, JsonText.reason(e)),
                        e);
            }
        }
    }

    /// Whether they stand in an array or one behind another, one of them at a time is in memory.
    private static void objects(Path file, BufferedReader reader, Consumer<String> document)
            throws IOException {
        reader.mark(1);
        if (reader.read() != '\uFEFF') {
            reader.reset();
        }
        int number = 0;
        try (MappingIterator<JsonNode> values = JSON.readerFor(JsonNode.class).readValues(reader)) {
            while (values.hasNext()) {
                JsonNode value = values.next();
                number++;
                JsonNode text = value.isString() ? value : value.path("text");
                if (!text.isString()) {
                    throw new PenjingException(
                            "%s: value %d has no \"text\": give objects with one"
                                    .formatted(file, number));
                }
                document.accept(text.stringValue());
            }
        } catch (JacksonException e) {
            throw new PenjingException(
                    "%s: value %d is not JSON: %s".formatted(file, number + 1, JsonText.reason(e)),
                    e);
        }
    }

    private static void plain(BufferedReader reader, Consumer<String> document) throws IOException {
        StringBuilder text = new StringBuilder();
        char[] buffer = new char[1 << 16];
        for (int n = reader.read(buffer); n > 0; n = reader.read(buffer)) {
            text.append(buffer, 0, n);
            if (text.length() > LONGEST) {
                int end = text.lastIndexOf("\n") + 1;
                int cut = end > 0 ? end : wholeCharacters(text);
                document.accept(text.substring(0, cut));
                text.delete(0, cut);
            }
        }
        if (!text.isEmpty()) {
            document.accept(text.toString());
        }
    }

    private static int wholeCharacters(StringBuilder text) {
        int end = text.length();
        return Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end;
    }

    /// All documents, joined as they stand. For texts that are measured, which fit into memory.
    public String text() {
        StringBuilder text = new StringBuilder();
        forEach(text::append);
        return text.toString();
    }
}
