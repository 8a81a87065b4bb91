package dev.penjing.evaluation;

import dev.penjing.evaluation.data.BenchmarkData;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/// Measures a model on benchmarks: items to prompts, prompts to the model, answers to scores.
public final class Evaluation {
    /// @param shots in place of each task's own, but for tasks that have none
    /// @param limit the first items of each task only
    /// @param maxNewTokens of written answers, in place of each task's own
    /// @param seed of the draw of shots and of sampled answers; 1234 is the harness's
    public record Settings(
            OptionalInt shots, OptionalInt limit, OptionalInt maxNewTokens, long seed) {
        public static final Settings USUAL =
                new Settings(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), 1234);

        /// The first items only.
        public Settings withLimit(OptionalInt items) {
            return new Settings(shots, items, maxNewTokens, seed);
        }
    }

    /// An item ready to be asked.
    record Question(int index, Item item, List<String> contexts) {}

    private final Subject subject;
    private final BenchmarkData data;
    private final Settings settings;
    private final Answers answers;
    private final Progress progress;
    private final Consumer<Sample> samples;

    private Evaluation(
            Subject subject,
            BenchmarkData data,
            Settings settings,
            ResultCache cache,
            Progress progress,
            Consumer<Sample> samples) {
        this.subject = subject;
        this.data = data;
        this.settings = settings;
        this.answers = new Answers(subject, cache, settings.seed());
        this.progress = progress;
        this.samples = samples;
    }

    /// The results of all tasks of the benchmarks, in order. What `cache` already holds is not
    /// computed again.
    ///
    /// @param samples told each item when its task is done, in order
    /// @throws PenjingException if data is missing or damaged
    public static List<TaskResult> run(
            Subject subject,
            List<Benchmark> benchmarks,
            BenchmarkData data,
            Settings settings,
            ResultCache cache,
            Progress progress,
            Consumer<Sample> samples) {
        Evaluation evaluation = new Evaluation(subject, data, settings, cache, progress, samples);
        return benchmarks.stream().flatMap(b -> evaluation.run(b).stream()).toList();
    }

    private List<TaskResult> run(Benchmark benchmark) {
        Map<Task, List<Question>> questions = new LinkedHashMap<>();
        Map<Task, Integer> available = new LinkedHashMap<>();
        for (Task task : benchmark.tasks()) {
            List<JsonNode> items = data.items(task.source().data(), task.source().evaluated());
            available.put(task, items.size());
            questions.put(task, questions(task, items));
        }
        int total = questions.values().stream().mapToInt(List::size).sum();
        List<TaskResult> results = new ArrayList<>();
        int before = 0;
        for (Map.Entry<Task, List<Question>> one : questions.entrySet()) {
            Task task = one.getKey();
            int first = before;
            Progress within =
                    (what, done, of, note) ->
                            progress.update(benchmark.name(), first + done, total, note);
            results.add(result(task, one.getValue(), available.getOrDefault(task, 0), within));
            before += one.getValue().size();
        }
        return results;
    }

    private List<Question> questions(Task task, List<JsonNode> items) {
        int asked = Math.min(task.asked(items.size()), settings.limit().orElse(Integer.MAX_VALUE));
        if (items.isEmpty()) {
            throw new PenjingException(task.name() + " has no items in its data");
        }
        Shots shots = new Shots(task, shots(task), settings.seed(), data);
        List<Question> questions = new ArrayList<>();
        for (int i = 0; i < Math.min(asked, items.size()); i++) {
            Item item = task.read(items.get(i));
            questions.add(
                    new Question(
                            i,
                            item,
                            subject.prompts().contexts(task, shots.next(items.get(i)), item)));
        }
        return questions;
    }

    private int shots(Task task) {
        // a task without shots is defined by that
        return task.shots() == 0 ? 0 : settings.shots().orElse(task.shots());
    }

    private TaskResult result(Task task, List<Question> questions, int available, Progress within) {
        long start = System.nanoTime();
        long tokensBefore = answers.tokens();
        long requestsBefore = answers.requests();
        List<Sample> judged =
                switch (task) {
                    case Task.Choosing choosing -> choose(choosing, questions, within);
                    case Task.Writing writing -> write(writing, questions, within);
                };
        judged.forEach(samples);
        Map<String, double[]> values = new LinkedHashMap<>();
        for (int i = 0; i < judged.size(); i++) {
            int at = i;
            judged.get(i)
                    .scores()
                    .forEach((metric, value) ->
                            values.computeIfAbsent(metric, m -> new double[judged.size()])[at] =
                                    value);
        }
        Map<String, Score> scores = new LinkedHashMap<>();
        values.forEach((metric, all) -> scores.put(metric, Score.of(all)));
        return new TaskResult(
                task,
                shots(task),
                available,
                scores,
                questions.stream().mapToDouble(q -> q.item().chance()).average().orElse(0),
                (System.nanoTime() - start) / 1e9,
                answers.tokens() - tokensBefore,
                answers.requests() - requestsBefore);
    }

    private List<Sample> choose(Task.Choosing task, List<Question> questions, Progress within) {
        String delimiter = subject.prompts().beforeChoice();
        List<List<String>> continuations =
                questions.stream().map(q -> continuations(q.item(), delimiter)).toList();
        List<double[]> likelihoods = answers.likelihoods(questions, continuations, within);
        return IntStream.range(0, questions.size())
                .mapToObj(i -> {
                    Question q = questions.get(i);
                    double[] scores = likelihoods.get(i);
                    return new Sample(
                            task.name(),
                            q.index(),
                            q.contexts(),
                            continuations.get(i),
                            Arrays.stream(scores).boxed().toList(),
                            List.of(),
                            q.item().answer(),
                            task.judge(q.item(), scores));
                })
                .toList();
    }

    private static List<String> continuations(Item item, String delimiter) {
        return switch (item) {
            case Item.Choices choices ->
                    choices.choices().stream().map(choice -> delimiter + choice).toList();
            case Item.Contexts contexts -> List.of(delimiter + contexts.answer());
            case Item.Free free -> throw new IllegalArgumentException("nothing to choose");
        };
    }

    private List<Sample> write(Task.Writing task, List<Question> questions, Progress within) {
        List<List<String>> texts = answers.texts(questions, generation(task), within);
        // programs take their time to run
        return IntStream.range(0, questions.size())
                .parallel()
                .mapToObj(i -> {
                    Question q = questions.get(i);
                    return new Sample(
                            task.name(),
                            q.index(),
                            q.contexts(),
                            List.of(),
                            List.of(),
                            texts.get(i),
                            q.item().answer(),
                            task.judge(q.item(), texts.get(i)));
                })
                .toList();
    }

    private Task.Generation generation(Task.Writing task) {
        Task.Generation own = task.generation();
        return settings.maxNewTokens().isPresent()
                ? own.withMaxNewTokens(settings.maxNewTokens().getAsInt())
                : own;
    }
}
