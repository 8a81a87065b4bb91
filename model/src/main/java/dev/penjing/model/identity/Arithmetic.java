package dev.penjing.model.identity;

import dev.penjing.model.PenjingVersion;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Which arithmetic made a number: the same weights and texts give another result under another
/// release, another library, another instruction set or another type. Everything that is computed
/// and kept (results of benchmarks, stages of a compression) is kept under [#key], and says in its
/// record what [#describe] says.
///
/// @param release Penjing's version, such as `0.1.0-SNAPSHOT`
/// @param commit of the source that Penjing was built from, or `unknown`
/// @param engine `penjing` for the inference engine, `libtorch` for the decoder that trains
/// @param kernels what does the products: the engine's kernels, or libtorch's version and the
///   instruction set that it has chosen
/// @param type of weights and activations, such as `Q8_0`, `float32` or `bfloat16`
/// @param device `cpu` or `cuda`
public record Arithmetic(
        String release, String commit, String engine, String kernels, String type, String device) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// The arithmetic of this very program.
    public static Arithmetic here(String engine, String kernels, String type, String device) {
        return new Arithmetic(
                PenjingVersion.version(), PenjingVersion.commit(), engine, kernels, type, device);
    }

    /// Changes with everything that may change a number, the commit among it.
    public String key() {
        return fields("arithmetic").with("commit", commit).sha256();
    }

    /// Like [#key], but for the commit. Work of days is kept under it, since a commit that mends a
    /// document must not begin a training anew; a release that changes numbers does.
    public String releaseKey() {
        return fields("arithmetic of a release").sha256();
    }

    private Fingerprint fields(String subject) {
        return Fingerprint.of(subject, 1)
                .with("release", release)
                .with("engine", engine)
                .with("kernels", kernels)
                .with("type", type)
                .with("device", device);
    }

    /// One line, such as `penjing 0.1.0 (1a2b3c4): libtorch 2.10.0 AVX2, float32 on cpu`.
    public String describe() {
        return "penjing %s (%s): %s %s, %s on %s"
                .formatted(release, commit, engine, kernels, type, device);
    }

    /// An object with a field for each component.
    public ObjectNode toJson() {
        return JSON.createObjectNode()
                .put("penjing", release)
                .put("commit", commit)
                .put("engine", engine)
                .put("kernels", kernels)
                .put("type", type)
                .put("device", device);
    }
}
