package dev.penjing.compression.data;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Text files as a stream of documents: a line of a `.jsonl` file is a document (its `text`), any
/// other file is one. A directory stands for the `.jsonl` and `.txt` files in it, by name.
///
/// @param files each of them readable, in the order given
public record Corpus(List<Path> files) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// A plain text longer than this is cut into documents of about this many characters, at the
    /// end of a line, so that no file need fit in memory.
    private static final int LONGEST = 1 << 20;

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
                            .filter(p ->
                                    p.toString().endsWith(".jsonl")
                                            || p.toString().endsWith(".txt"))
                            .sorted()
                            .toList();
            if (texts.isEmpty()) {
                throw new PenjingException(
                        directory + " holds no .jsonl or .txt file: name the text in `data`");
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
                if (file.toString().endsWith(".jsonl")) {
                    lines(file, reader, document);
                } else {
                    plain(reader, document);
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
                java.nio.channels.Channels.newReader(
                        Files.newByteChannel(file),
                        StandardCharsets.UTF_8
                                .newDecoder()
                                .onMalformedInput(CodingErrorAction.REPORT),
                        1 << 16),
                1 << 16);
    }

    private static void lines(Path file, BufferedReader reader, Consumer<String> document)
            throws IOException {
        int number = 0;
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            number++;
            if (line.isBlank()) {
                continue;
            }
            try {
                JsonNode text = JSON.readTree(line).path("text");
                if (!text.isString()) {
                    throw new PenjingException(
                            "%s line %d has no \"text\": each line must be an object with one"
                                    .formatted(file, number));
                }
                document.accept(text.stringValue());
            } catch (JacksonException e) {
                throw new PenjingException(
                        "%s line %d is not JSON: %s"
                                .formatted(file, number, e.getOriginalMessage()),
                        e);
            }
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
