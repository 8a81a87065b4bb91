package dev.penjing.compression.training;

import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.safetensors.SafetensorsFile;
import dev.penjing.model.safetensors.SafetensorsWriter;
import dev.penjing.model.safetensors.TensorView;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/// Checkpoints of a training run: `step-N.safetensors` with float32 parameters and both moments of
/// the optimizer, flat. Each is written aside, forced to the disk and moved into place, so that one
/// that is there is whole; the last two are kept.
final class CheckpointStore {
    private static final Pattern NAME = Pattern.compile("step-(\\d+)\\.safetensors");
    private static final int KEPT = 2;

    private final Path folder;
    private final String fingerprint;

    CheckpointStore(Path folder, String fingerprint) {
        this.folder = folder;
        this.fingerprint = fingerprint;
    }

    /// Removes the checkpoints of an earlier run.
    ///
    /// @return the step to go on from: 0
    long startAnew() {
        list().forEach(CheckpointStore::delete);
        return 0;
    }

    /// Loads the newest checkpoint, if there is one.
    ///
    /// @return its step, or 0
    /// @throws PenjingException if it was made with other settings, text or weights
    long restore(FlatParameters parameters, AdamW optimizer, Compute compute) {
        List<Path> all = list();
        if (all.isEmpty()) {
            return 0;
        }
        Path newest = all.getLast();
        try (SafetensorsFile file = SafetensorsFile.open(newest)) {
            if (!fingerprint.equals(file.metadata().get("fingerprint"))) {
                throw new PenjingException(
                        newest
                                + " was made with other settings, text or weights: repeat the"
                                + " settings of that run to resume it, or do not resume, to start"
                                + " anew");
            }
            load(file.tensor("parameters"), parameters.flat(), compute);
            load(file.tensor("mean"), optimizer.mean(), compute);
            load(file.tensor("square"), optimizer.square(), compute);
        }
        return step(newest);
    }

    private static void load(TensorView view, Tensor into, Compute compute) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false);
                Arena arena = Arena.ofConfined()) {
            Tensor cpu = compute.onCpu() ? into : into.cpu();
            Tensors.memory(cpu, arena).copyFrom(view.data());
            if (!compute.onCpu()) {
                into.copy_(cpu);
            }
        }
    }

    void save(long step, FlatParameters parameters, AdamW optimizer) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false);
                Arena arena = Arena.ofConfined();
                AtomicFile file =
                        AtomicFile.create(
                                folder.resolve("step-%08d.safetensors".formatted(step)))) {
            Map<String, MemorySegment> tensors = new LinkedHashMap<>();
            tensors.put("parameters", Tensors.memory(parameters.flat().cpu(), arena));
            tensors.put("mean", Tensors.memory(optimizer.mean().cpu(), arena));
            tensors.put("square", Tensors.memory(optimizer.square().cpu(), arena));
            SafetensorsWriter.writeFloats(
                    file.aside(),
                    tensors,
                    Map.of("fingerprint", fingerprint, "step", Long.toString(step)));
            file.commit();
        }
        List<Path> all = list();
        all.subList(0, Math.max(0, all.size() - KEPT)).forEach(CheckpointStore::delete);
    }

    /// Says where the last good checkpoint is.
    String newest() {
        List<Path> all = list();
        return all.isEmpty()
                ? "there is no checkpoint yet"
                : "the last good checkpoint is " + all.getLast();
    }

    private static long step(Path file) {
        Matcher matcher = NAME.matcher(file.getFileName().toString());
        return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
    }

    /// By step, ascending.
    private List<Path> list() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> step(f) >= 0).sorted().toList();
        } catch (IOException e) {
            throw new PenjingException("cannot read " + folder + ": " + e.getMessage(), e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new PenjingException("cannot remove " + file + ": " + e.getMessage(), e);
        }
    }
}
