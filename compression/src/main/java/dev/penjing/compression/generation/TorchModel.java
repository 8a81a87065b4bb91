package dev.penjing.compression.generation;

import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/// A checkpoint on libtorch as a language model: for measuring. Owns native memory until closed.
public final class TorchModel implements LanguageModel {
    private final FlatParameters parameters;
    private final Decoder decoder;
    private final Tokenizer tokenizer;

    private TorchModel(FlatParameters parameters, Decoder decoder, Tokenizer tokenizer) {
        this.parameters = parameters;
        this.decoder = decoder;
        this.tokenizer = tokenizer;
    }

    /// @throws PenjingException if the tokenizer has more tokens than the model
    public static TorchModel load(Path directory, Tokenizer tokenizer, Compute compute) {
        ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
        Tokenizers.requireFits(tokenizer, config, directory);
        try (Closer closer = new Closer()) {
            FlatParameters parameters =
                    closer.own(
                            FlatParameters.load(directory, config, compute, compute.type()),
                            FlatParameters::close);
            Decoder decoder = closer.own(new Decoder(config, parameters, compute), Decoder::close);
            TorchModel model = new TorchModel(parameters, decoder, tokenizer);
            closer.keep();
            return model;
        }
    }

    public Decoder decoder() {
        return decoder;
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public int contextLength() {
        return decoder.config().maxPositionEmbeddings();
    }

    @Override
    public List<float[]> logProbabilities(List<int[]> sequences) {
        sequences.forEach(this::checkScored);
        float[][] results = new float[sequences.size()][];
        for (int i = 0; i < results.length; i++) {
            results[i] = new float[sequences.get(i).length - 1];
        }
        score(
                sequences.stream().map(ids -> new ScoredText(ids, 1)).toList(),
                (text, index, logProbability) -> results[text][index - 1] = logProbability);
        return List.of(results);
    }

    @Override
    public double[] likelihoods(List<ScoredText> texts) {
        texts.forEach(text -> checkScored(text.ids()));
        double[] sums = new double[texts.size()];
        score(texts, (text, index, logProbability) -> sums[text] += logProbability);
        return sums;
    }

    /// Scores the texts of which something is to be scored.
    private void score(List<ScoredText> texts, Likelihoods.Sink sink) {
        int[] asked =
                IntStream.range(0, texts.size())
                        .filter(i -> texts.get(i).from() < texts.get(i).ids().length)
                        .toArray();
        Likelihoods.score(
                decoder,
                Arrays.stream(asked).mapToObj(texts::get).toList(),
                (text, index, logProbability) -> {
                    if (!Float.isFinite(logProbability)) {
                        throw new PenjingException(
                                "a log-probability of the model is not finite (%s): its weights are damaged"
                                        .formatted(logProbability));
                    }
                    sink.accept(asked[text], index, logProbability);
                });
    }

    /// Logits of every position, `[ids][V]`.
    public float[][] logits(int[] ids) {
        check(ids);
        float[][] logits = new float[ids.length][];
        try (AutoGradMode noGrad = new AutoGradMode(false);
                SharedPrefix prefix = new SharedPrefix(decoder)) {
            while (prefix.length() < ids.length) {
                int from = prefix.length();
                int to = Math.min(ids.length, from + prefix.row(from));
                try (PointerScope scope = new PointerScope()) {
                    Tensor hidden = prefix.read(ids, from, to);
                    for (int i = from; i < to; i++) {
                        try (PointerScope inner = new PointerScope()) {
                            logits[i] =
                                    Tensors.floats(decoder.logits(hidden.narrow(0, i - from, 1)));
                        }
                    }
                }
            }
        }
        return logits;
    }

    @Override
    public List<int[]> generate(List<Prompt> prompts, IntConsumer done) {
        for (Prompt prompt : prompts) {
            check(prompt.ids());
            if (prompt.ids().length == contextLength()) {
                throw new PenjingException(
                        "a prompt of %d tokens leaves no room in the model's context of as many: give less text"
                                .formatted(contextLength()));
            }
        }
        return BatchGeneration.run(decoder, prompts, done);
    }

    /// The last id of a text to score is predicted and never read.
    private void checkScored(int[] ids) {
        check(ids, contextLength() + 1);
    }

    private void check(int[] ids) {
        check(ids, contextLength());
    }

    private void check(int[] ids, int most) {
        int vocabulary = decoder.config().vocabularySize();
        if (ids.length == 0) {
            throw new PenjingException("there is no token to start from: give some text");
        }
        if (ids.length > most) {
            throw new PenjingException(
                    "%d tokens are too many for the model's context of %d: give at most %d"
                            .formatted(ids.length, contextLength(), most));
        }
        for (int id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new PenjingException(
                        "token id %d is outside the vocabulary of %d".formatted(id, vocabulary));
            }
        }
    }

    @Override
    public void close() {
        decoder.close();
        parameters.close();
    }
}
