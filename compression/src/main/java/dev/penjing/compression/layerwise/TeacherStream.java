package dev.penjing.compression.layerwise;

import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.Probe;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.files.Folders;
import dev.penjing.model.safetensors.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// A whole model walked layer by layer, with its hidden states in a folder. Stopped, it goes on at
/// the layer that was not finished. Owns its files until closed.
public final class TeacherStream implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final ModelConfig config;
    private final Calibration text;
    private final Compute compute;
    private final Path folder;
    private int layersDone;
    private HiddenFile states;

    /// Opens the folder, or begins with the embeddings of the text.
    ///
    /// @param checkpoint one that has been checked against `config`
    /// @param key of model, text and arithmetic: states of something else are thrown away
    public TeacherStream(
            Checkpoint checkpoint,
            ModelConfig config,
            Calibration text,
            Compute compute,
            Path folder,
            String key) {
        this.checkpoint = checkpoint;
        this.config = config;
        this.text = text;
        this.compute = compute;
        this.folder = folder;
        this.layersDone = done(key);
        this.states = file(layersDone, layersDone > 0);
        if (layersDone == 0) {
            embed();
        }
    }

    /// Begins with the embeddings of the text, whatever is there.
    public static TeacherStream anew(
            Checkpoint checkpoint,
            ModelConfig config,
            Calibration text,
            Compute compute,
            Path folder) {
        Folders.delete(folder);
        return new TeacherStream(checkpoint, config, text, compute, folder, "anew");
    }

    private int done(String key) {
        Path note = folder.resolve("key");
        Path count = folder.resolve("layers-done");
        try {
            if (!Files.exists(note) || !Files.readString(note).equals(key)) {
                Folders.delete(folder);
                AtomicFile.write(note, key);
            }
            return Files.exists(count) ? Integer.parseInt(Files.readString(count)) : 0;
        } catch (IOException | NumberFormatException e) {
            throw new PenjingException(
                    "cannot go on with %s (%s): remove it".formatted(folder, e.getMessage()), e);
        }
    }

    private HiddenFile file(int layer, boolean isThere) {
        Path path = folder.resolve("states-" + layer);
        return new HiddenFile(path, text.tokens(), config.hiddenSize(), isThere);
    }

    private void embed() {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            Tensor embedding =
                    FlatParameters.mapped(checkpoint.usable(config.tensors().of(Role.EMBEDDING)));
            for (Calibration.Batch batch : text.batches()) {
                try (PointerScope inner = new PointerScope()) {
                    Tensor ids = text.ids(batch, compute).cpu().view(-1);
                    // rounded as a model is that computes in this type
                    Tensor rows =
                            embedding
                                    .index_select(0, ids)
                                    .to(compute.type())
                                    .mul(new Scalar(config.multipliers().embedding()));
                    states.rows(batch.from(), batch.tokens()).copy_(rows);
                }
            }
        }
    }

    /// Layers behind the states.
    public int layersDone() {
        return layersDone;
    }

    /// Walks the layers that are left.
    ///
    /// @param probe sees every layer that is walked
    /// @param finished told of each layer before it counts as done: what it leaves must be in place
    ///   then
    public void walk(Probe probe, IntConsumer finished) {
        while (layersDone < config.numHiddenLayers()) {
            step(probe, finished);
        }
    }

    /// Walks the next layer.
    public void step(Probe probe, IntConsumer finished) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false);
                FlatParameters layer =
                        FlatParameters.ofLayer(
                                checkpoint, config, layersDone, compute, compute.type())) {
            HiddenFile next = file(layersDone + 1, false);
            new LayerWalk(config, layersDone, layer, text, compute).whole(states, next, probe);
            finished.accept(layersDone);
            layersDone++;
            AtomicFile.write(folder.resolve("layers-done"), Integer.toString(layersDone));
            states.delete();
            states = next;
        }
    }

    /// A batch's hidden states behind the layers done, `[tokens, D]`, in the computing type.
    public Tensor states(Calibration.Batch batch) {
        return LayerWalk.rows(states, batch, compute);
    }

    /// Closes and removes everything.
    public void delete() {
        close();
        Folders.delete(folder);
    }

    @Override
    public void close() {
        states.close();
    }
}
