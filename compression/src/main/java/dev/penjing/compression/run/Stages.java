package dev.penjing.compression.run;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.identity.Arithmetic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Remembers which stages of a run are done, and of what: a stage whose inputs and settings have
/// not changed is not done again. A record a stage, in `stages/NAME.json`, written when its result
/// is in place.
final class Stages {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path folder;
    private final Arithmetic arithmetic;
    private final Consumer<String> say;

    /// @param arithmetic what computes, for the records
    Stages(Path run, Arithmetic arithmetic, Consumer<String> say) {
        this.arithmetic = arithmetic;
        this.folder = run.resolve("stages");
        this.say = say;
    }

    /// Work that fills in its record.
    interface Work {
        void run(ObjectNode record);
    }

    /// @param key a hash of all that the result depends on
    /// @param result what must be there for the stage to be done
    /// @return the stage's record: `key`, `arithmetic`, `seconds`, and what the work put there
    ObjectNode run(String name, String key, Path result, Work work) {
        Path file = folder.resolve(name + ".json");
        if (Files.exists(file) && Files.exists(result)) {
            try {
                ObjectNode done = (ObjectNode) JSON.readTree(Files.readString(file));
                if (done.path("key").asString("").equals(key)) {
                    say.accept(name + ": done before, nothing has changed");
                    return done;
                }
            } catch (IOException | JacksonException | ClassCastException e) {
                say.accept(name + ": cannot read " + file + ", doing it again");
            }
        }
        long start = System.nanoTime();
        ObjectNode record = JSON.createObjectNode();
        record.put("key", key);
        record.set("arithmetic", arithmetic.toJson());
        work.run(record);
        if (!Files.exists(result)) {
            throw new PenjingException("the stage " + name + " left no " + result);
        }
        record.put("seconds", (System.nanoTime() - start) / 1e9);
        AtomicFile.write(file, record.toPrettyString());
        return record;
    }
}
