package dev.penjing.compression.run;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.generation.TorchModel;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.training.HeldOut;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `perplexity` and `logits`.
public final class Measuring {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Measuring() {}

    /// The perplexity of a whole text (documents of a `.jsonl` file are joined as they stand), cut
    /// into windows that do not overlap. Each begins with BOS if the model's texts do, and has no
    /// other special token.
    public static ObjectNode perplexity(
            Path directory, Path data, int window, Compute compute, Progress progress) {
        if (window < 2) {
            throw new UsageException("`sequenceLength` must be at least 2");
        }
        Tokenizer tokenizer = Tokenizers.load(directory);
        long start = System.nanoTime();
        try {
            Path tokens = Files.createTempFile("penjing-", ".tokens");
            try (TorchModel model = TorchModel.load(directory, tokenizer, compute)) {
                Corpus corpus = Corpus.of(List.of(data));
                OptionalInt begin = TextConventions.ofFolder(directory, tokenizer).textBegin();
                int fitting = Math.min(window, model.contextLength());
                TokenFile.writeWindows(corpus, tokenizer, begin, fitting, tokens, progress);
                try (TokenFile file = TokenFile.open(tokens)) {
                    HeldOut.Measures m =
                            HeldOut.of(file, fitting, tokenizer, Long.MAX_VALUE)
                                    .measure(model.decoder(), Optional.empty(), progress);
                    ObjectNode result = JSON.createObjectNode();
                    result.put("model", directory.toString());
                    result.put("perplexity", m.perplexity());
                    JsonText.put(result, "bits_per_byte", m.bitsPerByte());
                    result.put("tokens", m.tokens());
                    result.put("bytes", m.bytes());
                    result.put("seconds", (System.nanoTime() - start) / 1e9);
                    return result;
                }
            } finally {
                Files.deleteIfExists(tokens);
            }
        } catch (IOException e) {
            throw new PenjingException("no room for temporary files: " + e.getMessage(), e);
        }
    }

    /// The most likely next token after each position, and all logits of the last.
    public static ObjectNode logits(Path directory, int[] ids, Compute compute) {
        try (TorchModel model = TorchModel.load(directory, Tokenizers.load(directory), compute)) {
            float[][] logits = model.logits(ids);
            ObjectNode result = JSON.createObjectNode();
            result.put("model", directory.toString());
            ArrayNode argmax = result.putArray("argmax");
            for (float[] position : logits) {
                int best = 0;
                for (int v = 1; v < position.length; v++) {
                    best = position[v] > position[best] ? v : best;
                }
                argmax.add(best);
            }
            ArrayNode last = result.putArray("logits");
            for (float value : logits[logits.length - 1]) {
                last.add(value);
            }
            return result;
        }
    }
}
