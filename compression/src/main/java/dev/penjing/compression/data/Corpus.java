package dev.penjing.compression.data;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.model.files.JsonText;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MappingIterator;
import tools.jackson.databind.json.JsonMapper;

/// Text files as a stream of documents: a line of a `.jsonl` file is a document (its `text`), an
/// object of a `.json` file too, any other file is one. A directory stands for the `.jsonl`,
/// `.ndjson` and `.txt` files in it, by name. Files may be compressed by gzip.
///
/// @param files each of them readable, in the order given
public record Corpus(List<Path> files) {
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
        for (Path path : paths) {
            if (path.toString().isEmpty()) {
                throw new UsageException(
                        "a path of `data` is empty: is a variable of the shell not set?");
            }
            if (Files.isDirectory(path)) {
                files.addAll(textsIn(path));
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
        return new Corpus(List.copyOf(files));
    }

    private static List<Path> textsIn(Path directory) {
        try (Stream<Path> entries = Files.list(directory)) {
            List<Path> texts =
                    entries.filter(Files::isRegularFile)
                            .filter(TextFormat::isTextInFolder)
                            .sorted()
                            .toList();
            if (texts.isEmpty()) {
                throw new PenjingException(
                        directory
                                + " holds no .jsonl, .ndjson or .txt file: name the text in `data`");
            }
            return texts;
        } catch (IOException e) {
            throw new PenjingException("cannot list " + directory + ": " + e.getMessage(), e);
        }
    }

    /// Calls `document` with each document in order.
    public void forEach(Consumer<String> document) {
        for (Path file : files) {
            try (BufferedReader reader = open(file)) {
                switch (TextFormat.of(file)) {
                    case LINES -> lines(file, reader, document);
                    case OBJECTS -> objects(file, reader, document);
                    case PLAIN -> plain(reader, document);
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
        InputStream bytes = Files.newInputStream(file);
        try {
            return new BufferedReader(
                    new InputStreamReader(
                            TextFormat.isCompressed(file)
                                    ? new GZIPInputStream(bytes, 1 << 16)
                                    : bytes,
                            StandardCharsets.UTF_8
                                    .newDecoder()
                                    .onMalformedInput(CodingErrorAction.REPORT)),
                    1 << 16);
        } catch (IOException e) {
            bytes.close();
            throw e;
        }
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
