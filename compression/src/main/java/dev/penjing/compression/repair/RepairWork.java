package dev.penjing.compression.repair;

import dev.penjing.compression.pruning.Cut;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.files.Folders;
import dev.penjing.model.safetensors.SafetensorsFile;
import dev.penjing.model.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The layers that a repair has finished: of each its weights and a record, so that a repair that
/// was stopped goes on at its layer.
final class RepairWork {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// The axes along which each layer has its own parts.
    private static final List<Axis> OWN = List.of(Axis.NEURON, Axis.QUERY_HEAD);

    private final Path folder;
    private final List<ObjectNode> records = new ArrayList<>();

    private RepairWork(Path folder) {
        this.folder = folder;
    }

    /// @param key of what is repaired: work on something else is thrown away
    static RepairWork open(Path folder, String key) {
        RepairWork work = new RepairWork(folder);
        Path note = folder.resolve("key");
        try {
            if (!Files.exists(note) || !Files.readString(note).equals(key)) {
                Folders.delete(folder);
                AtomicFile.write(note, key);
            }
            for (int k = 0; Files.exists(work.record(k)); k++) {
                work.records.add((ObjectNode) JSON.readTree(Files.readString(work.record(k))));
            }
        } catch (IOException | JacksonException | ClassCastException e) {
            throw new PenjingException(
                    "cannot go on with %s (%s): remove it".formatted(folder, e.getMessage()), e);
        }
        return work;
    }

    Path folder() {
        return folder;
    }

    private Path record(int layer) {
        return folder.resolve("layer-" + layer + ".json");
    }

    private Path weights(int layer) {
        return folder.resolve("layer-" + layer + ".safetensors");
    }

    int layersDone() {
        return records.size();
    }

    /// Puts a finished layer down. Its record comes last.
    ///
    /// @param layer of the student's, the one after the last
    /// @param tensors by name
    /// @param kept of the teacher's parts in this layer
    void finish(
            int layer, Map<String, float[]> tensors, Map<Axis, int[]> kept, List<Refit> refits) {
        SafetensorsWriter.writeFile(weights(layer), tensors, Map.of());
        ObjectNode record = JSON.createObjectNode();
        for (Axis axis : OWN) {
            ArrayNode list = record.putArray(axis.parts());
            for (int index : kept.getOrDefault(axis, new int[0])) {
                list.add(index);
            }
        }
        ArrayNode list = record.putArray("refits");
        refits.forEach(refit -> refit.write(list.addObject()));
        AtomicFile.write(record(layer), record.toPrettyString());
        records.add(record);
    }

    /// The cut as a finished layer left it.
    ///
    /// @param layer of the student's
    /// @param original which of the teacher's it is
    Cut kept(int layer, int original, Cut cut) {
        Cut now = cut;
        for (Axis axis : OWN) {
            JsonNode list = records.get(layer).path(axis.parts());
            int[] kept = new int[list.size()];
            for (int i = 0; i < kept.length; i++) {
                kept[i] = list.get(i).asInt();
            }
            now = now.with(axis, original, kept);
        }
        return now;
    }

    List<Refit> refits() {
        List<Refit> all = new ArrayList<>();
        records.forEach(r -> r.path("refits").forEach(json -> all.add(Refit.read(json))));
        return all;
    }

    /// What a finished layer gained, for whoever watches.
    String said(int layer) {
        StringBuilder text = new StringBuilder();
        for (JsonNode json : records.get(layer).path("refits")) {
            Refit refit = Refit.read(json);
            text.append(
                    "%s%s error %.3f -> %.3f"
                            .formatted(
                                    text.isEmpty() ? "" : ", ",
                                    json.path("matrix").asString(""),
                                    refit.slicedError(),
                                    Math.min(refit.slicedError(), refit.refittedError())));
        }
        return text.toString();
    }

    /// A finished layer's tensor.
    float[] tensor(TensorSpec spec) {
        try (SafetensorsFile file = SafetensorsFile.open(weights(spec.layer().orElseThrow()))) {
            return file.tensor(spec.name()).toFloats();
        }
    }
}
