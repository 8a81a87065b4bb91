package dev.penjing.evaluation;

import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import dev.penjing.model.tokenizer.BpeTrainer;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.IntConsumer;

/// A model whose numbers come from what it is given, and a little from what stands beside, as
/// rounding does. It can be told to die.
final class FakeModel implements LanguageModel {
    static final Tokenizer TOKENIZER =
            BpeTrainer.trainByteLevel(List.of("a b c"), 260, List.of("<s>", "</s>"));

    private final Function<String, String> writes;
    private int callsLeft = Integer.MAX_VALUE;
    private int texts;
    private OptionalDouble last = OptionalDouble.empty();

    /// @param writes the answer to a prompt
    FakeModel(Function<String, String> writes) {
        this.writes = writes;
    }

    static FakeModel dyingAfter(int calls, Function<String, String> writes) {
        FakeModel model = new FakeModel(writes);
        model.callsLeft = calls;
        return model;
    }

    /// One that gives the last text of every call this log-likelihood.
    static FakeModel withLast(double likelihood) {
        FakeModel model = new FakeModel(prompt -> "");
        model.last = OptionalDouble.of(likelihood);
        return model;
    }

    /// Texts and prompts seen.
    int texts() {
        return texts;
    }

    private void call(int count) {
        if (callsLeft-- == 0) {
            throw new IllegalStateException("killed");
        }
        texts += count;
    }

    @Override
    public Tokenizer tokenizer() {
        return TOKENIZER;
    }

    @Override
    public int contextLength() {
        return 4096;
    }

    @Override
    public List<float[]> logProbabilities(List<int[]> sequences) {
        throw new UnsupportedOperationException();
    }

    @Override
    public double[] likelihoods(List<ScoredText> all) {
        call(all.size());
        double[] likelihoods =
                all.stream()
                        .mapToDouble(text ->
                                -(Arrays.hashCode(text.ids()) & 0xffff) / 1000.0
                                        - 1e-7 * all.size())
                        .toArray();
        last.ifPresent(value -> likelihoods[likelihoods.length - 1] = value);
        return likelihoods;
    }

    @Override
    public List<int[]> generate(List<Prompt> prompts, IntConsumer done) {
        call(prompts.size());
        List<int[]> answers = new ArrayList<>();
        for (Prompt prompt : prompts) {
            int[] all = TOKENIZER.encode(writes.apply(TOKENIZER.decode(prompt.ids(), false)));
            int length = 0;
            while (length < Math.min(all.length, prompt.maxNewTokens())) {
                if (prompt.last().test(all[length++])) {
                    break;
                }
            }
            answers.add(Arrays.copyOf(all, length));
            done.accept(answers.size() - 1);
        }
        return answers;
    }

    @Override
    public void close() {}
}
