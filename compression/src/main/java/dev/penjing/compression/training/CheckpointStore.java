package dev.penjing.compression.training;

import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.compression.training.CheckpointManifest.Part;
import dev.penjing.model.PenjingException;
import dev.penjing.model.files.Folders;
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

/// Checkpoints of a training run: a folder `step-N` each, in which every rank writes its shard of
/// the float32 parameters and of both moments of the optimizer, flat. When all shards are on the
/// disk, rank 0 puts a [CheckpointManifest] beside them; a folder without one is not there. The
/// last two are kept. All ranks see the same folder; who resumes may be fewer or more.
final class CheckpointStore {
    private static final Pattern NAME = Pattern.compile("step-(\\d+)");
    private static final int KEPT = 2;

    private final Path folder;
    private final String fingerprint;
    private final LoopHooks hooks;

    CheckpointStore(Path folder, String fingerprint, LoopHooks hooks) {
        this.folder = folder;
        this.fingerprint = fingerprint;
        this.hooks = hooks;
    }

    /// Removes the checkpoints of an earlier run, on rank 0.
    ///
    /// @return the step to go on from: 0
    long startAnew() {
        if (hooks.rank() == 0) {
            list().forEach(CheckpointStore::delete);
        }
        hooks.barrier();
        return 0;
    }

    /// Loads the newest checkpoint that rank 0 sees, if there is one.
    ///
    /// @return its step, or 0
    /// @throws PenjingException if it was made with other settings, text or weights, or is not
    ///   whole
    long restore(FlatParameters parameters, AdamW optimizer, Compute compute) {
        List<Path> whole = whole();
        double[] newest = {
            hooks.rank() > 0 || whole.isEmpty() ? 0 : step(whole.getLast()) // exact below 2^53
        };
        hooks.allReduce(newest);
        long step = (long) newest[0];
        if (step > 0) {
            load(directory(step), parameters, optimizer, compute);
        }
        return step;
    }

    private void load(Path directory, FlatParameters parameters, AdamW optimizer, Compute compute) {
        CheckpointManifest manifest = CheckpointManifest.read(directory);
        if (!fingerprint.equals(manifest.fingerprint())) {
            throw new PenjingException(
                    directory
                            + " was made with other settings, text or weights: repeat the"
                            + " settings of that run to resume it, or do not resume, to start"
                            + " anew");
        }
        manifest.requireWhole(directory, parameters.layout().size());
        Shard own = optimizer.shard();
        for (Part part : manifest.parts()) {
            try (SafetensorsFile file = SafetensorsFile.open(directory.resolve(part.file()))) {
                Shard all = new Shard(0, manifest.size());
                load(file.tensor("parameters"), part.shard(), parameters.flat(), all, compute);
                load(file.tensor("mean"), part.shard(), optimizer.mean(), own, compute);
                load(file.tensor("square"), part.shard(), optimizer.square(), own, compute);
            }
        }
    }

    /// What two shards have in common goes from one to the other.
    private static void load(
            TensorView view, Shard from, Tensor into, Shard shard, Compute compute) {
        long start = Math.max(from.from(), shard.from());
        long count = Math.min(from.to(), shard.to()) - start;
        if (count <= 0) {
            return;
        }
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false);
                Arena arena = Arena.ofConfined()) {
            Tensor part = into.narrow(0, start - shard.from(), count);
            Tensor cpu = compute.onCpu() ? part : part.cpu();
            Tensors.memory(cpu, arena)
                    .copyFrom(
                            view.data()
                                    .asSlice(
                                            (start - from.from()) * Float.BYTES,
                                            count * Float.BYTES));
            if (!compute.onCpu()) {
                part.copy_(cpu);
            }
        }
    }

    /// Returns when this rank's shard is on the disk, and on rank 0 when the checkpoint is whole.
    void save(long step, FlatParameters parameters, AdamW optimizer) {
        Path directory = directory(step);
        Shard shard = optimizer.shard();
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false);
                Arena arena = Arena.ofConfined()) {
            Tensor own = parameters.flat().narrow(0, shard.from(), shard.size());
            Map<String, MemorySegment> tensors = new LinkedHashMap<>();
            tensors.put("parameters", Tensors.memory(own.cpu(), arena));
            tensors.put("mean", Tensors.memory(optimizer.mean().cpu(), arena));
            tensors.put("square", Tensors.memory(optimizer.square().cpu(), arena));
            SafetensorsWriter.writeFloats(
                    directory.resolve(Part.name(hooks.rank(), hooks.worldSize())),
                    tensors,
                    Map.of("fingerprint", fingerprint, "step", Long.toString(step)));
        }
        hooks.barrier();
        if (hooks.rank() == 0) {
            CheckpointManifest.of(
                            directory,
                            fingerprint,
                            step,
                            parameters.layout().size(),
                            hooks.worldSize())
                    .write(directory);
            List<Path> whole = whole();
            List<Path> kept = whole.subList(Math.max(0, whole.size() - KEPT), whole.size());
            list().stream().filter(d -> !kept.contains(d)).forEach(CheckpointStore::delete);
        }
    }

    /// Says where the last good checkpoint is.
    String newest() {
        List<Path> whole = whole();
        return whole.isEmpty()
                ? "there is no checkpoint yet"
                : "the last good checkpoint is " + whole.getLast();
    }

    private Path directory(long step) {
        return folder.resolve("step-%08d".formatted(step));
    }

    private static long step(Path directory) {
        Matcher matcher = NAME.matcher(directory.getFileName().toString());
        return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
    }

    private List<Path> whole() {
        return list().stream().filter(CheckpointManifest::isIn).toList();
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

    /// The manifest first: what is half removed is not there.
    private static void delete(Path directory) {
        CheckpointManifest.delete(directory);
        Folders.delete(directory);
    }
}
