package dev.penjing.evaluation.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

@Timeout(60)
class LocalDataTest {
    static final DataSet ARC =
            new DataSet("arc_challenge", "allenai/ai2_arc", Optional.of("ARC-Challenge"));
    static final DataSet GSM8K = new DataSet("gsm8k", "openai/gsm8k", Optional.of("main"));
    static final DataSet HELLASWAG = new DataSet("hellaswag", "Rowan/hellaswag", Optional.empty());
    static final DataSet TRUTHFULQA =
            new DataSet("truthfulqa", "truthfulqa/truthful_qa", Optional.of("multiple_choice"));
    static final DataSet MBPP =
            new DataSet("mbpp", "google-research-datasets/mbpp", Optional.of("full"));
    static final DataSet HUMANEVAL =
            new DataSet("humaneval", "openai/openai_humaneval", Optional.empty());
    static final DataSet WINOGRANDE =
            new DataSet("winogrande", "allenai/winogrande", Optional.of("winogrande_xl"));
    static final DataSet XLSUM = new DataSet("xlsum", "csebuetnlp/xlsum", Optional.of("english"));

    @TempDir Path dir;

    static DataSet mmlu(String subject) {
        return new DataSet("mmlu", "cais/mmlu", Optional.of(subject));
    }

    /// A file of one row that says where it is.
    private Path put(String path) throws IOException {
        return put(path, "{\"is\": \"%s\"}\n".formatted(path));
    }

    private Path put(String path, String content) throws IOException {
        return put(path, content.getBytes(StandardCharsets.UTF_8));
    }

    private Path put(String path, byte[] content) throws IOException {
        Path file = dir.resolve(path);
        Files.createDirectories(file.resolveSibling(".").normalize());
        return Files.write(file, content);
    }

    private List<String> read(DataSet set, String split) {
        return new LocalData(dir)
                .items(set, split).stream().map(i -> i.path("is").asString()).toList();
    }

    private void fails(DataSet set, String split, String... parts) {
        assertThatThrownBy(() -> new LocalData(dir).items(set, split))
                .isInstanceOf(PenjingException.class)
                .hasMessageNotContaining("\n")
                .hasMessageContainingAll(parts);
    }

    private static DataSet set(String folder) {
        return List.of(ARC, GSM8K, HELLASWAG, HUMANEVAL, WINOGRANDE, XLSUM, mmlu("anatomy"))
                .stream()
                .filter(s -> s.folder().equals(folder))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({
        "arc_challenge, test, arc_challenge/arc_challenge_test.jsonl",
        "arc_challenge, validation, arc_challenge/arc_challenge_val.jsonl",
        "arc_challenge, test, ARC-Challenge/ARC-Challenge-Test.jsonl",
        "arc_challenge, validation, arc_challenge/ARC-Challenge-Dev.jsonl",
        "arc_challenge, test, allenai/ai2_arc/ARC-Challenge/test.json",
        "arc_challenge, test, ai2_arc/data/ARC-Challenge/test/0000.json",
        "arc_challenge, test, ARC-Challenge-Test.jsonl",
        "arc_challenge, train, arc_challenge_train.jsonl",
        "winogrande, train, winogrande/train_xl.jsonl",
        "winogrande, validation, winogrande/dev.jsonl",
        "winogrande, validation, winogrande/winogrande_xl_val.jsonl",
        "winogrande, validation, winogrande/winogrande_xl/validation-00000-of-00001.json",
        "hellaswag, validation, hellaswag_val.jsonl",
        "hellaswag, train, Rowan/hellaswag/data/train-00000-of-00001.json",
        "hellaswag, train, HellaSwag/hellaswag_train_fewshot14.jsonl",
        "gsm8k, test, gsm8k/test.jsonl",
        "gsm8k, train, gsm8k/main/train.jsonl",
        "gsm8k, train, openai/gsm8k/main/train-00000-of-00001.json",
        "humaneval, test, humaneval/HumanEval.jsonl",
        "humaneval, test, HumanEval.jsonl",
        "humaneval, test, openai_humaneval/openai_humaneval/test.jsonl",
        "xlsum, test, xlsum/english_test.jsonl",
        "xlsum, test, english_test.jsonl",
        "xlsum, train, csebuetnlp/xlsum/english/train/0000.json",
        "mmlu, test, mmlu/anatomy/test-00000-of-00001.json",
        "mmlu, dev, cais/mmlu/anatomy/dev-00000-of-00001.json",
        "mmlu, validation, mmlu/anatomy/validation.json",
    })
    void aSplitIsFoundByItsName(String folder, String split, String path) throws IOException {
        put(path);
        put("gsm8k/README.jsonl.txt");
        put(".hidden/" + path);
        assertThat(read(set(folder), split)).containsExactly(path);
    }

    @ParameterizedTest
    @CsvSource({
        "arc_challenge, test, arc_challenge/ARC-Easy-Test.jsonl", // another configuration
        "arc_challenge, test, ai2_arc/test.jsonl", // perhaps another configuration
        "arc_challenge, test, arc_challenge/arc_challenge_train.jsonl", // another split
        "arc_challenge, test, arc_challenge/train/test.jsonl",
        "arc_challenge, test, test.jsonl", // of whatever
        "gsm8k, test, gsm8k/test_socratic.jsonl",
        "gsm8k, test, gsm8k/socratic/test.jsonl",
        "winogrande, train, winogrande/train_xs.jsonl",
        "hellaswag, validation, hellaswag/hellaswag_test.jsonl",
        "humaneval, test, humaneval/HumanEval-X.jsonl",
        "mmlu, test, mmlu/test/astronomy_test.csv",
        "mmlu, test, mmlu/test.jsonl",
        "mmlu, validation, mmlu/dev/anatomy_dev.csv", // of MMLU these are two splits
        "mmlu, dev, mmlu/val/anatomy_val.csv",
    })
    void whatMayBeOfSomethingElseIsNotTaken(String folder, String split, String path)
            throws IOException {
        put(path);
        fails(
                set(folder),
                split,
                "no " + split + " split of " + folder,
                dir.resolve(folder).toString(),
                set(folder).hub());
    }

    @Test
    void theErrorNamesAFileAndTheHub() {
        fails(
                mmlu("anatomy"),
                "test",
                "no test split of mmlu (anatomy) in " + dir,
                dir.resolve("mmlu/test/anatomy_test.csv").toString(),
                "cais/mmlu from the hub");
        fails(HUMANEVAL, "test", dir.resolve("humaneval/HumanEval.jsonl.gz").toString());
        assertThatThrownBy(() -> new LocalData(dir.resolve("none")))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("is no folder");
    }

    @Test
    void theFolderMayBeTheBenchmarksOwn() throws IOException {
        put("gsm8k/test.jsonl");
        assertThat(new LocalData(dir.resolve("gsm8k")).items(GSM8K, "test")).hasSize(1);
        put("mmlu/dev/anatomy_dev.csv", "q,1,2,3,4,D\n");
        assertThat(new LocalData(dir.resolve("mmlu")).items(mmlu("anatomy"), "dev")).hasSize(1);
        Files.move(dir.resolve("mmlu"), dir.resolve("data")); // as its archive unpacks
        assertThat(new LocalData(dir.resolve("data")).items(mmlu("anatomy"), "dev")).hasSize(1);
    }

    @Test
    void linksAreFollowedAndLoopsAreNot() throws IOException {
        put("elsewhere/x.jsonl");
        Files.createDirectories(dir.resolve("gsm8k"));
        Files.createSymbolicLink(dir.resolve("gsm8k/test.jsonl"), Path.of("../elsewhere/x.jsonl"));
        Files.createSymbolicLink(dir.resolve("gsm8k/data"), Path.of("."));
        Files.createSymbolicLink(dir.resolve("gsm8k/train.jsonl"), Path.of("nowhere"));
        assertThat(read(GSM8K, "test")).containsExactly("elsewhere/x.jsonl");
        fails(GSM8K, "train", "train.jsonl is no file", "a link that leads nowhere");
    }

    @Test
    void aFolderInAFilesPlaceIsSaid() throws IOException {
        put("gsm8k/test.jsonl/part-0.txt");
        fails(GSM8K, "test", dir.resolve("gsm8k/test.jsonl").toString(), "is no file");
    }

    @Test
    void piecesAreReadInOrderAndAllOfThem() throws IOException {
        for (int i = 11; i >= 0; i--) {
            put("gsm8k/main/test-%05d-of-00012.json".formatted(i), "{\"is\": %d}".formatted(i));
        }
        assertThat(read(GSM8K, "test"))
                .containsExactly("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11");
        Files.delete(dir.resolve("gsm8k/main/test-00007-of-00012.json"));
        fails(GSM8K, "test", "one of 12 pieces and number 7 is missing");
        Files.delete(dir.resolve("gsm8k/main/test-00011-of-00012.json"));
        fails(GSM8K, "test", "one of 12 pieces and number 7 is missing");
    }

    @Test
    void ofTwoThatCouldBeMeantNoneIsTaken() throws IOException {
        put("gsm8k/test.jsonl");
        put("gsm8k/test.json");
        fails(
                GSM8K,
                "test",
                "test.json and test.jsonl",
                "could each be the test split",
                "keep one");
        put("hellaswag/validation.jsonl");
        put("hellaswag/hellaswag_val_10042_reconstructed.jsonl");
        put("hellaswag/hellaswag_val_olmes_sample.jsonl");
        assertThat(read(HELLASWAG, "validation"))
                .containsExactly("hellaswag/hellaswag_val_olmes_sample.jsonl");
        put("hellaswag/hellaswag_val.jsonl"); // what the authors publish goes before all else
        assertThat(read(HELLASWAG, "validation")).containsExactly("hellaswag/hellaswag_val.jsonl");
        put(
                "humaneval/HumanEval.jsonl.gz",
                Packed.gzip("{\"is\": 1}".getBytes(StandardCharsets.UTF_8)));
        assertThat(read(HUMANEVAL, "test")).containsExactly("1");
        put("humaneval/HumanEval.jsonl"); // the same, decompressed
        assertThat(read(HUMANEVAL, "test")).containsExactly("humaneval/HumanEval.jsonl");
    }

    @Test
    void ofMbppTheTaskIdSaysTheSplit() throws IOException {
        StringBuilder all = new StringBuilder();
        for (int i = 1; i <= 974; i++) {
            all.append("{\"task_id\": %d}\n".formatted(i));
        }
        put("mbpp/mbpp.jsonl", all.toString());
        Map<String, List<Integer>> splits =
                Map.of(
                        "prompt", List.of(1, 10),
                        "test", List.of(11, 510),
                        "validation", List.of(511, 600),
                        "train", List.of(601, 974));
        splits.forEach((split, ids) -> {
            List<Integer> found =
                    new LocalData(dir)
                            .items(MBPP, split).stream()
                                    .map(i -> i.path("task_id").asInt())
                                    .toList();
            assertThat(found)
                    .startsWith(ids.getFirst())
                    .endsWith(ids.getLast())
                    .hasSize(ids.getLast() - ids.getFirst() + 1);
        });
        put("mbpp/mbpp.jsonl", "{\"task_id\": 3}");
        fails(MBPP, "test", "holds no row of the test split");
        put("mbpp/mbpp.jsonl", "");
        fails(MBPP, "test", "is empty");
    }

    @Test
    void truthfulQasLaterEditionIsNotTakenForTheFirst() throws IOException {
        String later = "[{\"question\": \"What happens if you eat a pomegranate?\"}]";
        put("truthfulqa/mc_task.v1.json", later);
        fails(TRUTHFULQA, "validation", "later edition (v1)", "mc_task.v0.json");
        put("truthfulqa/mc_task.json", later);
        fails(TRUTHFULQA, "validation", "mc_task.json is TruthfulQA's later edition");
        put("truthfulqa/mc_task.v0.json", "[{\"is\": 0}]");
        assertThat(read(TRUTHFULQA, "validation")).containsExactly("0");
        Files.delete(dir.resolve("truthfulqa/mc_task.v0.json"));
        put("truthfulqa/mc_task.json", "[{\"is\": 1}]");
        assertThat(read(TRUTHFULQA, "validation")).containsExactly("1");
        Files.move(dir.resolve("truthfulqa"), dir.resolve("v1"));
        put("truthfulqa/v1/mc_task.json", "[{\"is\": 1}]");
        fails(TRUTHFULQA, "validation", "no validation split");
    }

    @Test
    void mmlusTablesHaveTheFormOfTheHub() throws IOException {
        put("mmlu/test/anatomy_test.csv", "\"Where, then?\",1,2,3,4,C\nq,a,b,c,d,A\n");
        put(
                "mmlu/dev/anatomy_dev.csv",
                "question,choice0,choice1,choice2,choice3,answer\nq,a,b,c,d,3\n");
        assertThat(
                        new LocalData(dir)
                                .items(mmlu("anatomy"), "test").stream().map(JsonNode::toString))
                .containsExactly(
                        "{\"question\":\"Where, then?\",\"choices\":[\"1\",\"2\",\"3\",\"4\"],\"answer\":2}",
                        "{\"question\":\"q\",\"choices\":[\"a\",\"b\",\"c\",\"d\"],\"answer\":0}");
        assertThat(
                        new LocalData(dir)
                                .items(mmlu("anatomy"), "dev").stream().map(JsonNode::toString))
                .containsExactly(
                        "{\"question\":\"q\",\"choices\":[\"a\",\"b\",\"c\",\"d\"],\"answer\":3}");
    }

    @Test
    void arcsOwnFilesHaveTheFormOfTheHub() throws IOException {
        put(
                "arc_challenge/ARC-Challenge-Test.jsonl",
                "{\"id\": \"i\", \"question\": {\"stem\": \"s\", \"choices\": [{\"text\": \"x\", \"label\": \"A\"}, {\"text\": \"y\", \"label\": \"B\"}]}, \"answerKey\": \"B\"}");
        assertThat(new LocalData(dir).items(ARC, "test").getFirst())
                .hasToString(
                        "{\"id\":\"i\",\"question\":\"s\",\"choices\":{\"text\":[\"x\",\"y\"],\"label\":[\"A\",\"B\"]},\"answerKey\":\"B\"}");
    }

    @Test
    void theHubsParquetIsRead() throws IOException {
        put(
                "allenai/ai2_arc/ARC-Challenge/test-00000-of-00001.parquet",
                Packed.resource("arc.parquet"));
        List<JsonNode> items = new LocalData(dir).items(ARC, "test");
        assertThat(items).hasSize(2);
        assertThat(items.get(1).at("/choices/label/2").asString()).isEqualTo("3");
    }

    @Test
    void theFirstItemsAreReadWithoutTheRest() throws IOException {
        put("xlsum/english_train.jsonl", "{\"is\": 1}\n{\"is\": 2}\nbroken");
        BenchmarkData data = BenchmarkData.of(Optional.of(dir), Map.of(), Progress.NONE);
        assertThat(data.first(XLSUM, "train", 2)).hasSize(2);
        assertThat(data.first(XLSUM, "train", 0)).isEmpty();
        assertThatThrownBy(() -> data.first(XLSUM, "train", 3)).hasMessageContaining("line 3");
        BenchmarkData other = (set, split) -> data.first(set, split, 2);
        assertThat(other.first(XLSUM, "train", 1)).hasSize(1);
        assertThat(other.first(XLSUM, "train", 9)).hasSize(2);
    }

    @Test
    void aFolderIsLookedThroughOnce() throws IOException {
        put("gsm8k/test.jsonl");
        BenchmarkData data = new LocalData(dir);
        assertThat(data.items(GSM8K, "test")).hasSize(1);
        put("gsm8k/train.jsonl");
        assertThatThrownBy(() -> data.items(GSM8K, "train")).hasMessageContaining("no train split");
        assertThat(new LocalData(dir).items(GSM8K, "train")).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"test", "validation"})
    void aDamagedFileIsNotPassedOver(String split) throws IOException {
        put("gsm8k/" + split + ".jsonl", "{\"is\": ");
        put("gsm8k/main/other_" + split + ".jsonl");
        fails(GSM8K, split, split + ".jsonl is damaged (line 1");
    }
}
