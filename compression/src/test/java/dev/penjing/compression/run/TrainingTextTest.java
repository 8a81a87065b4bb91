package dev.penjing.compression.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.DocumentMarks;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A text is recognised by its content, wherever it lies.
class TrainingTextTest {
    @TempDir Path folder;

    private Corpus corpus(String... namesAndTexts) throws IOException {
        List<Path> files = new java.util.ArrayList<>();
        for (int i = 0; i < namesAndTexts.length; i += 2) {
            Path file = folder.resolve(namesAndTexts[i]);
            Files.createDirectories(file.getParent());
            Files.writeString(file, namesAndTexts[i + 1]);
            files.add(file);
        }
        return Corpus.of(files);
    }

    private TrainingText text(Corpus data, Optional<Corpus> heldOut, int end) {
        return TrainingText.of(
                data,
                heldOut,
                new TinyModels.Bytes(),
                new DocumentMarks(OptionalInt.empty(), OptionalInt.of(end)),
                "tokenizer",
                folder.resolve("tokens"),
                Progress.NONE);
    }

    private String fingerprint(TrainingText text) {
        TrainingJob job =
                TrainingJob.of(
                        TrainingSettings.builder(1000).build(),
                        text,
                        folder.resolve("to"),
                        Compute.float32());
        return TrainingRun.fingerprint(job, "pretrain", "config");
    }

    @Test
    void theSameContentElsewhereIsTheSame() throws IOException {
        try (TrainingText one = text(corpus("a/x.txt", "Ada lives here."), Optional.empty(), 1);
                TrainingText other =
                        text(corpus("b/y.txt", "Ada lives here."), Optional.empty(), 1);
                TrainingText changed =
                        text(corpus("b/y.txt", "Ada lived here."), Optional.empty(), 1);
                TrainingText ended =
                        text(corpus("b/y.txt", "Ada lives here."), Optional.empty(), 2)) {
            assertThat(other.hash()).isEqualTo(one.hash());
            assertThat(fingerprint(other)).isEqualTo(fingerprint(one));
            assertThat(changed.hash()).isNotEqualTo(one.hash());
            assertThat(fingerprint(changed)).isNotEqualTo(fingerprint(one));
            assertThat(ended.hash()).isNotEqualTo(one.hash());
        }
    }

    /// A file that moves from the data to the held-out text makes another text of both, and no
    /// token file of the one is taken for the other's.
    @Test
    void whatIsHeldOutIsNotTrainedOn() throws IOException {
        Corpus both = corpus("1.txt", "Ada lives here.", "2.txt", "Otto does not.");
        Corpus first = corpus("1.txt", "Ada lives here.");
        Corpus second = corpus("2.txt", "Otto does not.");
        try (TrainingText all = text(both, Optional.empty(), 1);
                TrainingText split = text(first, Optional.of(second), 1)) {
            assertThat(split.hash()).isNotEqualTo(all.hash());
            assertThat(split.training().size()).isEqualTo("Ada lives here.".length() + 1);
            assertThat(split.heldOut().size()).isEqualTo("Otto does not.".length() + 1);
            assertThat(all.training().size() + all.heldOut().size())
                    .isEqualTo(split.training().size() + split.heldOut().size());
        }
    }

    /// The same bytes as lines of documents and as one document are other texts.
    @Test
    void howAFileIsReadIsPartOfIt() throws IOException {
        String line = "{\"text\": \"Ada lives here.\"}\n";
        try (TrainingText lines = text(corpus("x.jsonl", line), Optional.empty(), 1);
                TrainingText whole = text(corpus("x.txt", line), Optional.empty(), 1)) {
            assertThat(lines.hash()).isNotEqualTo(whole.hash());
            assertThat(lines.training().size()).isLessThan(whole.training().size());
        }
    }
}
