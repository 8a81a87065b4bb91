package dev.penjing.compression.training;

import static java.util.stream.Collectors.joining;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.files.JsonText;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `metrics.jsonl`: an object a step, and one for each measurement on the held-out text.
///
/// | key | meaning |
/// | --- | --- |
/// | `step`, `tokens` | how far: steps and training tokens so far |
/// | `loss` | mean a token, nats: the objective, such as the divergence from the teacher |
/// | `cross_entropy`, `gradient_norm`, `learning_rate`, `tokens_per_s` | of a step |
/// | `held_out` | `cross_entropy`, `divergence`, `perplexity`, `bits_per_byte`, `tokens` |
public final class TrainingMetrics implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path file;
    private final BufferedWriter writer;

    private TrainingMetrics(Path file, BufferedWriter writer) {
        this.file = file;
        this.writer = writer;
    }

    /// Opens the file to go on after `step`: what it says of later steps is taken back.
    static TrainingMetrics open(Path file, long step) {
        try {
            AtomicFile.write(file, kept(file, step).stream().map(l -> l + "\n").collect(joining()));
            return new TrainingMetrics(
                    file,
                    Files.newBufferedWriter(
                            file, StandardCharsets.UTF_8, StandardOpenOption.APPEND));
        } catch (IOException e) {
            throw new PenjingException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    /// Metrics that nobody keeps: those of a rank that does not write.
    static TrainingMetrics discarding() {
        return new TrainingMetrics(Path.of("nowhere"), new BufferedWriter(Writer.nullWriter()));
    }

    private static List<String> kept(Path file, long step) throws IOException {
        List<String> kept = new ArrayList<>();
        if (step > 0 && Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                try {
                    if (JSON.readTree(line).path("step").asLong(Long.MAX_VALUE) <= step) {
                        kept.add(line);
                    }
                } catch (JacksonException e) {
                    break; // the line that a kill cut short, and all that would follow it
                }
            }
        }
        return kept;
    }

    void step(long step, long tokens, Trainer.StepResult result, double tokensPerSecond) {
        ObjectNode line = line(step, tokens);
        line.put("loss", result.loss());
        line.put("cross_entropy", result.crossEntropy());
        line.put("gradient_norm", result.gradientNorm());
        line.put("learning_rate", result.learningRate());
        line.put("tokens_per_s", Math.round(tokensPerSecond));
        write(line);
    }

    void heldOut(long step, long tokens, HeldOut.Measures measures) {
        ObjectNode line = line(step, tokens);
        ObjectNode held = line.putObject("held_out");
        held.put("cross_entropy", measures.crossEntropy());
        held.put("divergence", measures.divergence());
        held.put("perplexity", measures.perplexity());
        JsonText.put(held, "bits_per_byte", measures.bitsPerByte());
        held.put("tokens", measures.tokens());
        write(line);
        flush();
    }

    private static ObjectNode line(long step, long tokens) {
        ObjectNode line = JSON.createObjectNode();
        line.put("step", step);
        line.put("tokens", tokens);
        return line;
    }

    private void write(ObjectNode line) {
        try {
            writer.write(line.toString());
            writer.newLine();
        } catch (IOException e) {
            throw new PenjingException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    void flush() {
        try {
            writer.flush();
        } catch (IOException e) {
            throw new PenjingException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            writer.close();
        } catch (IOException e) {
            throw new PenjingException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }
}
