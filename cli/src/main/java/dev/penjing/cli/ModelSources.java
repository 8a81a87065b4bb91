package dev.penjing.cli;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.Hashes;
import dev.penjing.model.gguf.GgufImport;
import dev.penjing.model.hub.Hub;
import dev.penjing.model.hub.HubModel;
import java.nio.file.Files;
import java.nio.file.Path;

/// What MODEL may be on the command line: a directory in Hugging Face form, a `.gguf` file, or
/// `hf:org/name[@revision]`.
final class ModelSources {
    static final String DESCRIPTION =
            "A directory in Hugging Face form, a .gguf file, or hf:org/name[@revision]. Where it is"
                    + " not served as it is, a .gguf file is imported once, to imported/ in"
                    + " $PENJING_CACHE (~/.cache/penjing), which may be deleted at any time.";

    private ModelSources() {}

    /// The model as a directory in Hugging Face form. A GGUF file is imported once, into Penjing's
    /// cache; a hub model is fetched into the hub's.
    static Path directory(String source, ConsoleProgress progress) {
        if (source.startsWith("hf:")) {
            return new Hub(System.getenv()).snapshot(HubModel.parse(source), progress);
        }
        Path path = Path.of(source);
        if (source.endsWith(".gguf")) {
            return imported(path, progress);
        }
        if (!Files.isDirectory(path)) {
            throw new PenjingException(
                    "there is no model at "
                            + source
                            + ": give a directory with config.json and *.safetensors, a .gguf"
                            + " file, or hf:org/name");
        }
        if (!Files.exists(path.resolve("config.json"))) {
            throw new PenjingException(
                    source + " has no config.json: it is not a model in Hugging Face form");
        }
        return path;
    }

    /// The model as the engine reads it: a GGUF file as it is, all else as a directory.
    static Path enginePath(String source, ConsoleProgress progress) {
        return source.endsWith(".gguf") && !source.startsWith("hf:")
                ? Path.of(source)
                : directory(source, progress);
    }

    private static Path imported(Path file, ConsoleProgress progress) {
        if (!Files.isRegularFile(file)) {
            throw new PenjingException("there is no file " + file);
        }
        // 2: with a post-processor, which says whether texts begin with BOS
        Path cache = cache().resolve("imported-2").resolve(Hashes.sha256(file).substring(0, 16));
        if (!Files.exists(cache.resolve("config.json"))) {
            progress.say("importing " + file + " to " + cache);
            GgufImport.runExact(file, cache, progress);
        }
        return cache;
    }

    /// Where what can be made again is kept.
    static Path cache() {
        return Path.of(
                System.getenv()
                        .getOrDefault(
                                "PENJING_CACHE",
                                System.getProperty("user.home") + "/.cache/penjing"));
    }
}
