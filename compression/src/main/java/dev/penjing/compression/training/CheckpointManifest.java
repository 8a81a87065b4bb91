package dev.penjing.compression.training;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `manifest.json` of a checkpoint, which makes a checkpoint of the shards beside it: written aside
/// and moved into place when all of them are on the disk.
///
/// @param fingerprint of what the run depends on
/// @param size elements in all
record CheckpointManifest(String fingerprint, long step, long size, List<Part> parts) {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String NAME = "manifest.json";

    /// What one rank wrote.
    record Part(String file, Shard shard, long bytes) {
        static String name(int rank, int worldSize) {
            return "shard-%05d-of-%05d.safetensors".formatted(rank, worldSize);
        }
    }

    static boolean isIn(Path directory) {
        return Files.isRegularFile(directory.resolve(NAME));
    }

    static void delete(Path directory) {
        try {
            Files.deleteIfExists(directory.resolve(NAME));
        } catch (IOException e) {
            throw new PenjingException("cannot remove " + directory + ": " + e.getMessage(), e);
        }
    }

    /// Of the shards that so many ranks have written.
    ///
    /// @throws PenjingException if this rank does not see one of them
    static CheckpointManifest of(
            Path directory, String fingerprint, long step, long size, int worldSize) {
        List<Part> parts = new ArrayList<>();
        for (int rank = 0; rank < worldSize; rank++) {
            String name = Part.name(rank, worldSize);
            parts.add(new Part(name, Shard.of(size, rank, worldSize), bytes(directory, name)));
        }
        return new CheckpointManifest(fingerprint, step, size, parts);
    }

    private static long bytes(Path directory, String file) {
        try {
            return Files.size(directory.resolve(file));
        } catch (IOException e) {
            throw new PenjingException(
                    "%s is missing in %s: all ranks need the same folder, on a shared file system"
                            .formatted(file, directory),
                    e);
        }
    }

    void write(Path directory) {
        ObjectNode json = JSON.createObjectNode();
        json.put("fingerprint", fingerprint);
        json.put("step", step);
        json.put("size", size);
        ArrayNode shards = json.putArray("shards");
        for (Part part : parts) {
            ObjectNode shard = shards.addObject();
            shard.put("file", part.file());
            shard.put("from", part.shard().from());
            shard.put("to", part.shard().to());
            shard.put("bytes", part.bytes());
        }
        AtomicFile.write(directory.resolve(NAME), json.toPrettyString());
    }

    /// @throws PenjingException if it cannot be read
    static CheckpointManifest read(Path directory) {
        Path file = directory.resolve(NAME);
        try {
            JsonNode json = JSON.readTree(Files.readString(file));
            List<Part> parts = new ArrayList<>();
            for (JsonNode shard : json.path("shards")) {
                parts.add(
                        new Part(
                                shard.path("file").asString(""),
                                new Shard(
                                        shard.path("from").asLong(-1), shard.path("to").asLong(-1)),
                                shard.path("bytes").asLong(-1)));
            }
            return new CheckpointManifest(
                    json.path("fingerprint").asString(""),
                    json.path("step").asLong(-1),
                    json.path("size").asLong(-1),
                    parts);
        } catch (IOException | JacksonException e) {
            throw new PenjingException(
                    "cannot read %s: all ranks need the same folder, on a shared file system"
                            .formatted(file),
                    e);
        }
    }

    /// @throws PenjingException if a shard is missing or cut short
    void requireWhole(Path directory, long parameters) {
        long at = 0;
        for (Part part : parts) {
            if (part.shard().from() != at || bytes(directory, part.file()) != part.bytes()) {
                throw notWhole(directory);
            }
            at = part.shard().to();
        }
        if (at != parameters || size != parameters) {
            throw notWhole(directory);
        }
    }

    private static PenjingException notWhole(Path directory) {
        return new PenjingException(
                directory + " is not whole: remove it to go on from the checkpoint before it");
    }
}
