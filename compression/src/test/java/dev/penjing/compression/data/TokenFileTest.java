package dev.penjing.compression.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.compression.TinyModels;
import dev.penjing.model.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which ids a corpus becomes. Each character is a token; `A` is 1 and stands for BOS.
class TokenFileTest {
    private static final OptionalInt BOS = OptionalInt.of(1);
    private static final OptionalInt EOS = OptionalInt.of(2);

    @TempDir Path folder = Path.of("");

    private Corpus corpus(String... documents) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (String document : documents) {
            lines.append("{\"text\": \"").append(document).append("\"}\n");
        }
        return Corpus.of(
                List.of(Files.writeString(folder.resolve("text.jsonl"), lines.toString())));
    }

    private List<Integer> ids() {
        try (TokenFile tokens = TokenFile.open(folder.resolve("tokens"))) {
            return Arrays.stream(tokens.slice(0, Math.toIntExact(tokens.size()))).boxed().toList();
        }
    }

    private List<Integer> documents(DocumentMarks marks, String... documents) throws IOException {
        TokenFile.write(
                corpus(documents),
                new TinyModels.Bytes(),
                marks,
                folder.resolve("tokens"),
                Long.MAX_VALUE,
                Progress.NONE);
        return ids();
    }

    /// As transformers' `tokenizer(text)` has it; a document that has BOS already keeps one.
    @Test
    void documentsBeginAndEndAsTheModelsTextsDo() throws IOException {
        assertThat(documents(new DocumentMarks(BOS, EOS), "CD", "", "AC"))
                .containsExactly(1, 3, 4, 2, 1, 2, 1, 3, 2);
        assertThat(documents(new DocumentMarks(OptionalInt.empty(), EOS), "CD", "C"))
                .containsExactly(3, 4, 2, 3, 2);
        assertThat(documents(DocumentMarks.NONE, "CD", "C")).containsExactly(3, 4, 3);
    }

    private List<Integer> windows(OptionalInt begin, String... documents) throws IOException {
        TokenFile.writeWindows(
                corpus(documents),
                new TinyModels.Bytes(),
                begin,
                3,
                folder.resolve("tokens"),
                Progress.NONE);
        return ids();
    }

    @Test
    void windowsBeginAsTheModelsTextsDo() throws IOException {
        assertThat(windows(BOS, "CDE", "F")).containsExactly(1, 3, 4, 1, 5, 6);
        assertThat(windows(BOS, "CDE")).containsExactly(1, 3, 4, 1, 5);
        assertThat(windows(OptionalInt.empty(), "CDE", "F")).containsExactly(3, 4, 5, 6);
    }

    /// Texts of models without BOS are found where they were.
    @Test
    void marksTellFilesApart() {
        assertThat(new DocumentMarks(OptionalInt.empty(), EOS)).hasToString(EOS.toString());
        assertThat(new DocumentMarks(BOS, EOS).toString()).isNotEqualTo(EOS.toString());
    }
}
