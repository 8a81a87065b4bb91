package dev.penjing.cli;

import dev.penjing.evaluation.Sample;
import dev.penjing.model.PenjingException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `--samples-out`: a JSON object a line, written aside and moved into place at the end.
final class SampleFile implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Optional<Path> file;
    private final Optional<BufferedWriter> out;

    private SampleFile(Optional<Path> file, Optional<BufferedWriter> out) {
        this.file = file;
        this.out = out;
    }

    /// @param file without it nothing is written
    static SampleFile of(Optional<Path> file) {
        if (file.isEmpty()) {
            return new SampleFile(file, Optional.empty());
        }
        try {
            return new SampleFile(file, Optional.of(Files.newBufferedWriter(partial(file.get()))));
        } catch (IOException e) {
            throw cannot(file.get(), e);
        }
    }

    private static Path partial(Path file) {
        return file.resolveSibling(file.getFileName() + ".partial");
    }

    private static PenjingException cannot(Path file, IOException e) {
        return new PenjingException("cannot write %s: %s".formatted(file, e), e);
    }

    void write(String model, Sample sample) {
        if (out.isEmpty()) {
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
            out.get().write(line + "\n");
        } catch (IOException e) {
            throw cannot(file.orElseThrow(), e);
        }
    }

    /// Also after a failure: what is there is worth reading.
    @Override
    public void close() {
        if (out.isEmpty()) {
            return;
        }
        Path path = file.orElseThrow();
        try {
            out.get().close();
            Files.move(partial(path), path, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw cannot(path, e);
        }
    }
}
