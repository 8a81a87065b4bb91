package dev.penjing.compression.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.DocumentMarks;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.repair.RepairSettings;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import dev.penjing.model.gguf.GgufFile;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.BpeTrainer;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// A tiny model whose vocabulary is cut by a text: the student has the text's pieces, and says of
/// each what the teacher says of it.
class VocabularyChoiceTest {
    private static final int TOKENS = 400;
    private static final String TEXT = "The student reads the text that its teacher read.\n";
    private static final String OTHER = "Zebras wander 1234 far & wide; jackals quiz foxes.\n";

    /// How text becomes tokens.
    enum Kind {
        BYTE_LEVEL,
        SENTENCE_PIECE;

        Tokenizer tokenizer() {
            return switch (this) {
                case BYTE_LEVEL ->
                        BpeTrainer.trainByteLevel(
                                Collections.nCopies(20, TEXT + OTHER), 380, List.of("<|end|>"));
                case SENTENCE_PIECE -> Tokenizers.fromGguf(sentencePiece());
            };
        }
    }

    @TempDir Path folder;
    private Path teacher = Path.of("");
    private Path data = Path.of("");

    @BeforeEach
    void text() throws IOException {
        teacher = folder.resolve("teacher");
        data = folder.resolve("text.txt");
        Files.writeString(data, TEXT.repeat(40));
    }

    private ModelConfig teacher(Kind kind) {
        ModelConfig config =
                ModelConfig.parse(
                        TinyModels.llama(", \"eos_token_id\": 0")
                                .toJson()
                                .replace("\"vocab_size\" : 64", "\"vocab_size\" : " + TOKENS),
                        "test");
        TinyModels.write(config, teacher, (spec, values) -> values);
        Tokenizers.save(kind.tokenizer(), teacher);
        return config;
    }

    /// A vocabulary in SentencePiece's form: bytes, letters, and what begins the words of the
    /// texts.
    private static Map<String, Object> sentencePiece() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
        for (int b = 0; b < 256; b++) {
            tokens.add("<0x%02X>".formatted(b));
            types.add(6);
        }
        for (String word : (" " + TEXT + OTHER).strip().split("\\s+")) {
            String marked = "\u2581" + word;
            for (int i = 0; i < marked.length(); i++) {
                add(tokens, marked.substring(i, i + 1));
            }
            for (int length = 2; length <= marked.length() && tokens.size() < 390; length++) {
                add(tokens, marked.substring(0, length));
            }
        }
        float[] scores = new float[tokens.size()];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = -i;
        }
        int[] all = new int[tokens.size()];
        Arrays.fill(all, 1);
        for (int i = 0; i < types.size(); i++) {
            all[i] = types.get(i);
        }
        return Map.of(
                "tokenizer.ggml.model",
                "llama",
                "tokenizer.ggml.tokens",
                tokens.toArray(String[]::new),
                "tokenizer.ggml.scores",
                scores,
                "tokenizer.ggml.token_type",
                all);
    }

    private static void add(List<String> tokens, String token) {
        if (!tokens.contains(token)) {
            tokens.add(token);
        }
    }

    private Cut chosen(ModelConfig config, OptionalInt size, Cut cut) {
        return new VocabularyChoice(size, Corpus.of(List.of(data)))
                .cut(teacher, config, cut, line -> {}, Progress.NONE);
    }

    private Path student(String name) {
        return folder.resolve(name);
    }

    /// What the teacher says of the tokens kept, of the same text.
    private static float[] columns(float[] logits, int[] kept, int size) {
        float[] columns = new float[logits.length / size * kept.length];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = logits[i / kept.length * size + kept[i % kept.length]];
        }
        return columns;
    }

    private static int[] before(int[] ids, int[] kept) {
        return Arrays.stream(ids).map(id -> kept[id]).toArray();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void theTextKeepsItsPiecesAndTheirLogits(Kind kind) throws IOException {
        ModelConfig config = teacher(kind);
        Cut cut = chosen(config, OptionalInt.empty(), Cut.nothing(config));
        int[] kept = cut.tokens();
        assertThat(kept.length).isLessThan(TOKENS);
        assertThat(kept.length % 64).isZero();
        Path student = student("student");
        Cutting.cut(teacher, cut, student, "prune", Progress.NONE);
        Tokenizer tokenizer = Tokenizers.load(student);
        int[] original = Tokenizers.load(teacher).encode(TEXT);
        int[] ids = tokenizer.encode(TEXT);
        assertThat(before(ids, kept)).isEqualTo(original);
        assertThat(tokenizer.decode(tokenizer.encode(OTHER), false).strip())
                .isEqualTo(OTHER.strip());
        assertThat(
                        TinyModels.difference(
                                TinyModels.logits(student, ids),
                                columns(TinyModels.logits(teacher, original), kept, TOKENS)))
                .isLessThan(1e-5);

        JsonNode record = JsonText.read(student.resolve("run.json"));
        assertThat(record.at("/vocabulary/tokens").asInt()).isEqualTo(kept.length);
        assertThat(record.at("/vocabulary/teacher_tokens").asInt()).isEqualTo(TOKENS);
        // rows of 48 in embedding and head, of 4 bytes
        int saved = (TOKENS - kept.length) * 48 * 2;
        assertThat(record.at("/vocabulary/parameters_saved").asInt()).isEqualTo(saved);
        assertThat(record.at("/vocabulary/bytes_saved").asInt()).isEqualTo(4 * saved);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aGgufFileOfTheStudentHasItsTokens(Kind kind) {
        ModelConfig config = teacher(kind);
        Cut cut = chosen(config, OptionalInt.of(330), Cut.nothing(config));
        Path student = student("student");
        Cutting.cut(teacher, cut, student, "prune", Progress.NONE);
        Path file = folder.resolve("student.gguf");
        GgufExport.run(student, file, FileType.F32, Progress.NONE);
        Tokenizer tokenizer = Tokenizers.load(student);
        try (GgufFile gguf = GgufFile.open(file)) {
            Tokenizer read = Tokenizers.fromGguf(gguf.metadata());
            for (String text : List.of(TEXT, OTHER, "naïve 日本語 😀 zzz")) {
                assertThat(read.encode(text)).isEqualTo(tokenizer.encode(text));
            }
        }
        assertThat(TextConventions.ofFolder(student, tokenizer).endIds())
                .isEqualTo(TextConventions.ofFolder(teacher, Tokenizers.load(teacher)).endIds());
    }

    /// The repair reads the teacher's tokens: whether the vocabulary is cut in the same command or
    /// not, all else comes out the same.
    @ParameterizedTest
    @EnumSource(Kind.class)
    void aRepairedStudentIsTheSameInFewerTokens(Kind kind) throws IOException {
        ModelConfig config = teacher(kind);
        int[] neurons = IntStream.range(0, 80).filter(i -> i % 5 != 0).toArray();
        Cut narrow = Cut.nothing(config).with(Axis.NEURON, Collections.nCopies(3, neurons));
        Cut both = chosen(config, OptionalInt.empty(), narrow);
        repair(narrow, "narrow");
        repair(both, "both");
        int[] kept = both.tokens();
        int[] ids = Tokenizers.load(student("both")).encode(TEXT);
        assertThat(
                        TinyModels.difference(
                                TinyModels.logits(student("both"), ids),
                                columns(
                                        TinyModels.logits(student("narrow"), before(ids, kept)),
                                        kept,
                                        TOKENS)))
                .isLessThan(1e-5);
        assertThat(JsonText.read(student("both/run.json")).at("/repair").isObject()).isTrue();
    }

    private void repair(Cut cut, String name) {
        Cutting.repair(
                teacher,
                cut,
                Corpus.of(List.of(data)),
                8,
                32,
                1,
                RepairSettings.DEFAULT,
                student(name),
                "prune",
                Compute.float32(),
                Progress.NONE,
                line -> {});
    }

    /// Nothing but the vocabulary was cut: before the first step the student agrees with its
    /// teacher, read in its tokens.
    @ParameterizedTest
    @EnumSource(Kind.class)
    void aTeacherIsReadInTheTokensOfItsStudent(Kind kind) throws IOException {
        ModelConfig config = teacher(kind);
        Cut cut = chosen(config, OptionalInt.of(330), Cut.nothing(config));
        Path student = student("student");
        ModelConfig own = cutOnly(cut, student);
        int[] ids = TinyModels.ids(25);
        Compute compute = Compute.float32();
        try (FlatParameters parameters =
                        FlatParameters.load(
                                teacher, config, cut.tokens(), compute, ScalarType.Float);
                Decoder decoder =
                        new Decoder(
                                FlatParameters.withTokens(config, cut.tokens().length),
                                parameters,
                                compute)) {
            assertThat(TinyModels.logits(decoder, ids)).isEqualTo(TinyModels.logits(student, ids));
        }
        Tokenizer tokenizer = Tokenizers.load(student);
        TrainingSettings settings =
                TrainingSettings.builder(64)
                        .sequenceLength(16)
                        .globalBatchSize(2)
                        .microBatchSize(2)
                        .build();
        try (TrainingText text =
                TrainingText.of(
                        Corpus.of(List.of(data)),
                        Optional.empty(),
                        tokenizer,
                        DocumentMarks.NONE,
                        "student",
                        folder.resolve("tokens"),
                        Progress.NONE)) {
            Path to = folder.resolve("distilled");
            TrainingRun.distill(teacher, student, TrainingJob.of(settings, text, to, compute));
            assertThat(ModelConfig.read(to.resolve("config.json")))
                    .isEqualTo(own.withDtype("bfloat16"));
            assertThat(Tokenizers.load(to).encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
            String first = Files.readAllLines(to.resolve("work/metrics.jsonl")).getFirst();
            JsonNode start = JsonText.parse(first);
            assertThat(start.path("step").asInt()).isZero();
            assertThat(start.at("/held_out/divergence").asDouble(1)).isBetween(-1e-6, 1e-6);
        }
    }

    private ModelConfig cutOnly(Cut cut, Path student) {
        Cutting.cut(teacher, cut, student, "prune", Progress.NONE);
        return ModelConfig.read(student.resolve("config.json"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x"})
    void aTextWithoutTokensIsRefused(String more) throws IOException {
        ModelConfig config = teacher(Kind.BYTE_LEVEL);
        Files.writeString(data, more);
        if (more.isEmpty()) {
            assertThatThrownBy(() -> chosen(config, OptionalInt.empty(), Cut.nothing(config)))
                    .isInstanceOf(UsageException.class)
                    .hasMessageContaining("name a text like what the student is for");
        } else {
            assertThat(chosen(config, OptionalInt.empty(), Cut.nothing(config)).tokens().length)
                    .isEqualTo(320); // 256 bytes and <|end|>, up to a multiple of 64
        }
    }
}
