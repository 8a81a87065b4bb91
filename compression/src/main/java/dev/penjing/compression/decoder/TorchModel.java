package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.LanguageModel;
import dev.penjing.model.ModelConfig;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Prompt;
import dev.penjing.model.ScoredText;
import dev.penjing.model.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// A checkpoint on libtorch as a language model: for measuring. Owns native memory until closed.
public final class TorchModel implements LanguageModel {
    /// Tokens that go through the model at once, padding counted.
    private static final int BATCH_TOKENS = 4096;

    private final Parameters parameters;
    private final Decoder decoder;
    private final Tokenizer tokenizer;

    private TorchModel(Parameters parameters, Decoder decoder, Tokenizer tokenizer) {
        this.parameters = parameters;
        this.decoder = decoder;
        this.tokenizer = tokenizer;
    }

    /// @throws PenjingException if the tokenizer has more tokens than the model
    public static TorchModel load(Path directory, Tokenizer tokenizer, Compute compute) {
        ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
        requireFits(tokenizer, config, directory);
        Parameters parameters = Parameters.load(directory, config, compute, compute.type());
        return new TorchModel(parameters, new Decoder(config, parameters, compute), tokenizer);
    }

    /// A model may have more tokens than its tokenizer (padding), never fewer.
    public static void requireFits(Tokenizer tokenizer, ModelConfig config, Path where) {
        if (tokenizer.vocabularySize() > config.vocabularySize()) {
            throw new PenjingException(
                    "the tokenizer of %s has %d tokens, the model only %d: they do not belong together; put the model's own tokenizer.json there"
                            .formatted(where, tokenizer.vocabularySize(), config.vocabularySize()));
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
        sequences.forEach(this::check);
        List<Integer> byLength =
                IntStream.range(0, sequences.size())
                        .boxed()
                        .sorted(Comparator.comparingInt(i -> sequences.get(i).length))
                        .toList();
        float[][] results = new float[sequences.size()][];
        for (int at = 0; at < byLength.size(); ) {
            int end = at + 1;
            while (end < byLength.size()
                    && (end + 1 - at) * sequences.get(byLength.get(end)).length <= BATCH_TOKENS) {
                end++;
            }
            score(sequences, byLength.subList(at, end), results);
            at = end;
        }
        return List.of(results);
    }

    private void score(List<int[]> sequences, List<Integer> batch, float[][] results) {
        int width = sequences.get(batch.getLast()).length - 1;
        if (width == 0) {
            batch.forEach(i -> results[i] = new float[0]);
            return;
        }
        int[] inputs = new int[batch.size() * width];
        int[] targets = new int[batch.size() * width];
        for (int row = 0; row < batch.size(); row++) {
            int[] ids = sequences.get(batch.get(row));
            // padding stands behind: what comes before does not see it
            System.arraycopy(ids, 0, inputs, row * width, ids.length - 1);
            System.arraycopy(ids, 1, targets, row * width, ids.length - 1);
        }
        float[] scores = scores(inputs, targets, batch.size(), width);
        for (int row = 0; row < batch.size(); row++) {
            int length = sequences.get(batch.get(row)).length - 1;
            results[batch.get(row)] =
                    java.util.Arrays.copyOfRange(scores, row * width, row * width + length);
        }
    }

    private float[] scores(int[] inputs, int[] targets, int rows, int width) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            Compute compute = decoder.compute();
            Tensor hidden = hidden(compute.place(Tensors.ids(inputs, rows, width)));
            Tensor targetsN1 = compute.place(Tensors.ids(targets, rows * width, 1));
            float[] scores = new float[rows * width];
            int chunk = (int) Math.max(16, (8L << 20) / decoder.config().vocabularySize());
            for (int at = 0; at < scores.length; at += chunk) {
                int count = Math.min(chunk, scores.length - at);
                try (PointerScope inner = new PointerScope()) {
                    Tensor logP =
                            torch.log_softmax(
                                    decoder.logits(hidden.narrow(0, at, count)),
                                    -1,
                                    new ScalarTypeOptional(ScalarType.Float));
                    float[] part = Tensors.floats(logP.gather(1, targetsN1.narrow(0, at, count)));
                    System.arraycopy(part, 0, scores, at, count);
                }
            }
            return scores;
        }
    }

    private Tensor hidden(Tensor idsBL) {
        return decoder.hidden(decoder.embed(idsBL), Optional.empty(), Optional.empty());
    }

    /// Logits of every position, `[ids][V]`.
    public float[][] logits(int[] ids) {
        check(ids);
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            Tensor hidden = hidden(decoder.compute().place(Tensors.ids(ids, 1, ids.length)));
            float[][] logits = new float[ids.length][];
            for (int i = 0; i < ids.length; i++) {
                try (PointerScope inner = new PointerScope()) {
                    logits[i] = Tensors.floats(decoder.logits(hidden.narrow(0, i, 1)));
                }
            }
            return logits;
        }
    }

    @Override
    public double[] likelihoods(List<ScoredText> texts) {
        List<float[]> all = logProbabilities(texts.stream().map(ScoredText::ids).toList());
        double[] sums = new double[texts.size()];
        for (int i = 0; i < sums.length; i++) {
            for (int t = texts.get(i).from() - 1; t < all.get(i).length; t++) {
                sums[i] += all.get(i)[t];
            }
        }
        return sums;
    }

    @Override
    public List<int[]> generate(List<Prompt> prompts, IntConsumer done) {
        List<int[]> answers = new ArrayList<>();
        for (Prompt prompt : prompts) {
            answers.add(generate(prompt));
            done.accept(answers.size() - 1);
        }
        return answers;
    }

    private int[] generate(Prompt prompt) {
        check(prompt.ids());
        List<Integer> made = new ArrayList<>();
        int room = Math.min(prompt.maxNewTokens(), contextLength() - prompt.ids().length);
        try (KeyValueCache cache = new KeyValueCache()) {
            int[] next = prompt.ids();
            boolean last = false;
            while (!last && made.size() < room) {
                int id = greedy(next, cache);
                made.add(id);
                last = prompt.last().test(id);
                next = new int[] {id};
            }
        }
        return made.stream().mapToInt(Integer::intValue).toArray();
    }

    private int greedy(int[] ids, KeyValueCache cache) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            Tensor idsBL = decoder.compute().place(Tensors.ids(ids, 1, ids.length));
            Tensor hidden =
                    decoder.hidden(decoder.embed(idsBL), Optional.empty(), Optional.of(cache));
            Tensor logits = decoder.logits(hidden.narrow(0, ids.length - 1, 1));
            return Math.toIntExact(logits.argmax().item_long());
        }
    }

    private void check(int[] ids) {
        int vocabulary = decoder.config().vocabularySize();
        if (ids.length == 0) {
            throw new PenjingException("there is no token to start from: give some text");
        }
        if (ids.length > contextLength()) {
            throw new PenjingException(
                    "%d tokens are more than the model's context of %d: give less text"
                            .formatted(ids.length, contextLength()));
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
