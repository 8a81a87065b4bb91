package dev.penjing.model.safetensors;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.files.JsonText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The weights of a model: `model.safetensors`, or shards named by `model.safetensors.index.json`.
public final class Checkpoint implements AutoCloseable {
    private static final int MOST_SHARDS = 10_000;

    private final Path directory;
    private final List<SafetensorsFile> files = new ArrayList<>();
    private final Map<String, SafetensorsFile> tensors = new LinkedHashMap<>();

    private Checkpoint(Path directory) {
        this.directory = directory;
    }

    /// @throws PenjingException if a file is missing or damaged
    public static Checkpoint open(Path directory) {
        Checkpoint checkpoint = new Checkpoint(directory);
        try {
            Path index = directory.resolve("model.safetensors.index.json");
            Path single = directory.resolve("model.safetensors");
            if (Files.exists(single)) {
                checkpoint.add(single);
            } else if (Files.exists(index)) {
                checkpoint.addShards(index);
            } else {
                throw new PenjingException(
                        directory
                                + " has neither model.safetensors nor model.safetensors.index.json:"
                                + " is this a model in Hugging Face form?");
            }
            return checkpoint;
        } catch (RuntimeException | Error e) {
            checkpoint.close();
            throw e;
        }
    }

    private void addShards(Path index) {
        JsonNode map;
        try {
            map = JsonText.parse(Files.readString(index)).path("weight_map");
        } catch (IOException | JacksonException e) {
            throw new PenjingException("cannot read " + index + ": " + e.getMessage(), e);
        }
        Set<String> shards = new TreeSet<>();
        map.properties().forEach(e -> shards.add(e.getValue().asString("")));
        if (shards.isEmpty() || shards.size() > MOST_SHARDS) {
            throw new PenjingException(index + " names no shards, or too many");
        }
        for (String shard : shards) {
            if (!shard.matches("[\\w.-]+\\.safetensors")) {
                throw new PenjingException(
                        index + " names the shard '" + shard + "', which is no plain file name");
            }
            if (!Files.exists(directory.resolve(shard))) {
                throw new PenjingException(
                        "the shard " + directory.resolve(shard) + " is missing: fetch it again");
            }
            add(directory.resolve(shard));
        }
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            if (!tensors.containsKey(entry.getKey())) {
                throw new PenjingException(
                        "the shard %s does not hold %s, as the index says: fetch it again"
                                .formatted(entry.getValue().asString(""), entry.getKey()));
            }
        }
    }

    private void add(Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        files.add(file);
        for (String name : file.names()) {
            if (tensors.put(name, file) != null) {
                throw new PenjingException("two shards hold the tensor " + name);
            }
        }
    }

    public Set<String> names() {
        return tensors.keySet();
    }

    /// @throws PenjingException if there is no tensor of this name
    public TensorView tensor(String name) {
        SafetensorsFile file = tensors.get(name);
        if (file == null) {
            throw new PenjingException("the checkpoint " + directory + " lacks " + name);
        }
        return file.tensor(name);
    }

    /// The tensor of a model; of one that holds several, its rows.
    ///
    /// @throws PenjingException if there is none
    public TensorView tensor(TensorSpec spec) {
        TensorView whole = tensor(spec.stored());
        if (spec.part().isEmpty()) {
            return whole;
        }
        long rowBytes = whole.data().byteSize() / Math.max(1, whole.shape()[0]);
        long from = spec.part().get().from();
        return new TensorView(
                spec.name(),
                whole.dtype(),
                spec.shape(),
                whole.data().asSlice(from * rowBytes, spec.shape()[0] * rowBytes));
    }

    /// The tensor of a model, its values looked at.
    ///
    /// @throws PenjingException if there is none, a value is not finite, or all values of a matrix
    ///   are zero. What writes to the residual stream may be zero: blocks that were added to a
    ///   model to be trained begin so.
    public TensorView usable(TensorSpec spec) {
        TensorView view = tensor(spec);
        view.checkUsable(spec.role() == Role.OUTPUT || spec.role() == Role.DOWN);
        return view;
    }

    /// Requires all tensors of a model, in their shapes, and no others. Rotary tables are passed
    /// over, and so is a head that is stored though it is tied to the embeddings, if it holds the
    /// same numbers.
    public void check(ModelConfig config) {
        Set<String> left = new HashSet<>(tensors.keySet());
        left.removeIf(name -> name.endsWith("rotary_emb.inv_freq"));
        if (config.tieWordEmbeddings() && left.remove(config.family().head(config).name())) {
            requireTied(config);
        }
        for (TensorSpec spec : config.tensors()) {
            if (spec.first() && !left.remove(spec.stored())) {
                throw new PenjingException(
                        "the checkpoint %s lacks %s, which its config.json asks for"
                                .formatted(directory, spec.stored()));
            }
            long[] shape = tensor(spec.stored()).shape();
            if (!Arrays.equals(shape, spec.storedShape())) {
                throw new PenjingException(
                        "%s in %s has the shape %s, but config.json asks for %s"
                                .formatted(
                                        spec.stored(),
                                        directory,
                                        Arrays.toString(shape),
                                        Arrays.toString(spec.storedShape())));
            }
        }
        if (!left.isEmpty()) {
            throw new PenjingException(
                    "the checkpoint %s holds %d tensors that its config.json does not ask for, such as %s"
                            .formatted(directory, left.size(), new TreeSet<>(left).first()));
        }
    }

    /// transformers computes with a head that is stored, whatever config.json says.
    private void requireTied(ModelConfig config) {
        TensorView head = tensor(config.family().head(config).name());
        TensorView embedding = tensor(config.tensors().of(Role.EMBEDDING).name());
        boolean same =
                head.dtype() == embedding.dtype()
                        ? head.data().mismatch(embedding.data()) < 0
                        : Arrays.equals(head.toFloats(), embedding.toFloats());
        if (!same) {
            throw new PenjingException(
                    "the checkpoint %s holds a %s that differs from the embedding, to which its config.json ties it: set tie_word_embeddings to false there to compute with both"
                            .formatted(directory, head.name()));
        }
    }

    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }
}
