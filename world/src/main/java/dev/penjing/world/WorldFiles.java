package dev.penjing.world;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/// The world as files: `train.jsonl` and `heldout.jsonl` (`{"text": ...}` a line) and
/// `items.jsonl`. The same seed gives the same bytes.
public final class WorldFiles {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int HELD_OUT_DOCUMENTS = 2500;
    private static final int ITEMS = 100;

    private WorldFiles() {}

    /// @param trainingBytes of training text, about
    public static void write(Path directory, long seed, long trainingBytes) {
        World world = World.standard();
        try {
            Documents training = Documents.telling(world, seed);
            write(
                    directory.resolve("train.jsonl"),
                    Stream.generate(() -> document(training)).iterator(),
                    trainingBytes,
                    Long.MAX_VALUE);
            Documents heldOut = Documents.telling(world, seed + 1);
            write(
                    directory.resolve("heldout.jsonl"),
                    Stream.generate(() -> document(heldOut)).iterator(),
                    Long.MAX_VALUE,
                    HELD_OUT_DOCUMENTS);
            write(
                    directory.resolve("items.jsonl"),
                    Questions.of(world, seed + 2, ITEMS).stream().map(Questions::line).iterator(),
                    Long.MAX_VALUE,
                    Long.MAX_VALUE);
        } catch (IOException e) {
            throw new PenjingException("cannot write to " + directory + ": " + e.getMessage(), e);
        }
    }

    private static String document(Documents documents) {
        return JSON.createObjectNode().put("text", documents.next()).toString();
    }

    private static void write(Path file, Iterator<String> lines, long bytes, long count)
            throws IOException {
        long written = 0;
        try (AtomicFile whole = AtomicFile.create(file)) {
            try (BufferedWriter writer = Files.newBufferedWriter(whole.aside())) {
                for (long i = 0; i < count && written < bytes && lines.hasNext(); i++) {
                    String line = lines.next();
                    writer.write(line);
                    writer.write('\n');
                    written += line.length() + 1;
                }
            }
            whole.commit();
        }
    }
}
