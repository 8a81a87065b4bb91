package dev.penjing.compression.run;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.vocabulary.RemovalOrder;
import dev.penjing.model.vocabulary.Vocabulary;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;

/// Which tokens a student keeps: those that a text needs, or so many, the most needed ones.
///
/// @param size how many; without it all that the text needs, filled up to a multiple of [#STEP]
public record VocabularyChoice(OptionalInt size, Corpus corpus) {
    /// Rows of a matrix that processors multiply at once, or a multiple of it.
    private static final int STEP = 64;

    /// A hash of all that decides which tokens of a teacher are kept.
    public String key() {
        return TrainingText.shortHash("vocabulary 1 " + size + TrainingText.contents(corpus));
    }

    /// The same cut with fewer tokens.
    ///
    /// @param say what was chosen, and what would compute faster
    /// @throws UsageException if the text is empty, or the vocabulary cannot have this size; says
    ///   which it can
    public Cut cut(
            Path teacher, ModelConfig config, Cut cut, Consumer<String> say, Progress progress) {
        Vocabulary vocabulary = Vocabulary.of(teacher, config);
        long[] counts = new long[config.vocabularySize()];
        long[] seen = {0};
        corpus.forEach(text -> {
            for (int id : vocabulary.tokenizer().encode(text)) {
                counts[id]++;
                seen[0]++;
            }
            progress.update("count", seen[0], 0, "");
        });
        if (seen[0] == 0) {
            throw new UsageException(
                    "the text to choose tokens by has none: name a text like what the student is for");
        }
        RemovalOrder order = vocabulary.removalOrder(counts);
        int[] kept = order.kept(size.orElse(Math.min(order.size(), up(order.needed()))));
        say.accept(
                "%,d of %,d tokens kept: the text, special tokens and bytes need %,d"
                        .formatted(kept.length, order.size(), order.needed()));
        if (kept.length % STEP != 0 && kept.length < order.size()) {
            say.accept(
                    "`vocabSize` %d is no multiple of %d, which would compute faster: %d and %d are"
                            .formatted(kept.length, STEP, up(kept.length) - STEP, up(kept.length)));
        }
        return cut.with(Axis.VOCABULARY, List.of(kept));
    }

    private static int up(int size) {
        return Math.ceilDiv(size, STEP) * STEP;
    }
}
