package dev.penjing.server.nim;

import dev.penjing.model.PenjingException;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What NIM tells of itself: `/v1/metadata`, `/v1/manifest`, `/v1/version`, `/v1/license`.
public final class Management {
    private static final String API = "2.3.0";

    private final ServedModels models;
    private final String version;
    private final byte[] license;

    /// Checksums of files that have not changed since.
    private final Map<String, String> checksums = new ConcurrentHashMap<>();

    /// @param version of the server
    public Management(ServedModels models, String version) {
        this.models = models;
        this.version = version;
        this.license = resource("LICENSE");
    }

    private static byte[] resource(String name) {
        try (InputStream in = Management.class.getResourceAsStream("/dev/penjing/server/" + name)) {
            if (in == null) {
                throw new PenjingException("the server's own file %s is missing".formatted(name));
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// NIM's release, and the version of OpenAI's specification that answers follow.
    public void version(Exchange exchange) {
        exchange.send(200, HttpJson.object().put("release", version).put("api", API));
    }

    /// The server's licence. The models' own are theirs.
    public void license(Exchange exchange) {
        ObjectNode body = licenseInfo();
        body.put("type", "Apache-2.0");
        body.put("content", new String(license, StandardCharsets.UTF_8));
        exchange.send(200, body);
    }

    private ObjectNode licenseInfo() {
        return HttpJson.object()
                .put("name", "Apache License 2.0")
                .put("path", "LICENSE")
                .put("sha", sha256(license))
                .put("size", license.length)
                .put("url", "https://www.apache.org/licenses/LICENSE-2.0");
    }

    public void metadata(Exchange exchange) {
        ObjectNode body = HttpJson.object();
        body.put("version", version);
        body.put("repository_override", "");
        body.put("selectedModelProfileId", "penjing-cpu");
        body.putArray("assetInfo").add("penjing-server " + version);
        body.set("licenseInfo", licenseInfo());
        ArrayNode list = body.putArray("modelInfo");
        for (ServedModel model : models.all()) {
            ObjectNode info = list.addObject();
            info.put("shortName", model.id());
            info.put("modelUrl", model.path().toUri().getScheme() + ":" + name(model.path()));
            info.put("state", model.state().name().toLowerCase(java.util.Locale.ROOT));
            model.loaded()
                    .ifPresent(engine -> {
                        info.put("quantization", engine.quantization());
                        info.put("max_model_len", engine.contextLength());
                        info.put("weight_bytes", engine.weightBytes());
                        info.put("cache_bytes", engine.cacheBytes());
                        info.put("parameters", engine.config().parameters());
                        info.put(
                                "non_embedding_parameters",
                                engine.config().nonEmbeddingParameters());
                    });
        }
        exchange.send(200, body);
    }

    /// No more of a path than clients need to know.
    private static String name(Path path) {
        return String.valueOf(path.toAbsolutePath().getFileName());
    }

    /// The models' files: name, size, checksum.
    public void manifest(Exchange exchange) {
        StringBuilder text = new StringBuilder();
        text.append("schema_version: '2.0'\nversion: '").append(version).append("'\nmodels:\n");
        for (ServedModel model : models.all()) {
            text.append("  - name: '").append(model.id()).append("'\n    files:\n");
            for (Path file : files(model.path())) {
                text.append("      - name: '").append(name(file)).append("'\n");
                try {
                    text.append("        size_bytes: ").append(Files.size(file)).append('\n');
                    text.append("        checksum: 'sha256:").append(checksum(file)).append("'\n");
                } catch (IOException e) {
                    text.append("        missing: true\n");
                }
            }
        }
        exchange.send(
                200,
                HttpJson.object().put("manifest_file", text.toString()).put("repository_override", ""));
    }

    private static List<Path> files(Path path) {
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (Stream<Path> all = Files.list(path)) {
            return all.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private String checksum(Path file) throws IOException {
        String key = "%s %d %s".formatted(file, Files.size(file), Files.getLastModifiedTime(file));
        String known = checksums.get(key);
        if (known != null) {
            return known;
        }
        MessageDigest digest = sha256();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] part = new byte[1 << 16];
            for (int n = in.read(part); n >= 0; n = in.read(part)) {
                digest.update(part, 0, n);
            }
        }
        String sum = HexFormat.of().formatHex(digest.digest());
        checksums.put(key, sum);
        return sum;
    }

    private static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(sha256().digest(bytes));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
