package dev.penjing.cli;

import dev.penjing.evaluation.Sample;
import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `--samples-out`: a JSON object a line, in place when it is closed.
final class SampleFile implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// The file and what writes to it, if anything is to be written.
    private record Open(Path path, AtomicFile file, BufferedWriter out) {}

    private final Optional<Open> open;

    private SampleFile(Optional<Open> open) {
        this.open = open;
    }

    /// @param file without it nothing is written
    static SampleFile of(Optional<Path> file) {
        return new SampleFile(file.map(SampleFile::open));
    }

    private static Open open(Path path) {
        AtomicFile file = AtomicFile.create(path);
        try {
            return new Open(path, file, Files.newBufferedWriter(file.aside()));
        } catch (IOException e) {
            file.close();
            throw cannot(path, e);
        }
    }

    private static PenjingException cannot(Path file, IOException e) {
        return new PenjingException("cannot write %s: %s".formatted(file, e), e);
    }

    void write(String model, Sample sample) {
        if (open.isEmpty()) {
            return;
        }
        ObjectNode line = JSON.createObjectNode();
        line.put("model", model);
        line.put("task", sample.task());
        line.put("doc_id", sample.index());
        line.set("contexts", JSON.valueToTree(sample.contexts()));
        if (sample.texts().isEmpty()) {
            line.set("continuations", JSON.valueToTree(sample.continuations()));
            line.set("log_likelihoods", JSON.valueToTree(sample.logLikelihoods()));
        } else {
            line.set("texts", JSON.valueToTree(sample.texts()));
        }
        line.put("target", sample.expected());
        line.set("scores", JSON.valueToTree(sample.scores()));
        try {
            open.get().out().write(line + "\n");
        } catch (IOException e) {
            throw cannot(open.get().path(), e);
        }
    }

    /// Also after a failure: what is there is worth reading.
    @Override
    public void close() {
        if (open.isEmpty()) {
            return;
        }
        try (AtomicFile file = open.get().file()) {
            open.get().out().close();
            file.commit();
        } catch (IOException e) {
            throw cannot(open.get().path(), e);
        }
    }
}
