package dev.penjing.evaluation;

import dev.penjing.evaluation.data.BenchmarkData;
import dev.penjing.evaluation.metrics.Score;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.identity.Fingerprint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.IntFunction;
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

        /// How many items are shown before each; a task without shots is defined by that.
        int shots(Task task) {
            int own = task.info().shots();
            return own == 0 ? 0 : shots.orElse(own);
        }

        /// How many of a split's items are asked.
        int asked(Task task, int available) {
            return Math.min(
                    available, Math.min(task.asked(available), limit.orElse(Integer.MAX_VALUE)));
        }

        /// How a task's answers are written.
        GenerationSettings generation(Task.Writing task) {
            GenerationSettings own = task.generation();
            return maxNewTokens.isPresent() ? own.withMaxNewTokens(maxNewTokens.getAsInt()) : own;
        }
    }

    /// An item ready to be asked.
    record Question(int index, TaskItem item, List<String> contexts) {}

    private final Subject subject;
    private final BenchmarkData data;
    private final Settings settings;
    private final RequestRunner requests;
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
        this.requests = new RequestRunner(subject, cache, settings.seed());
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

    /// A hash of all that decides scores beside the model: the tasks, how they are asked, and the
    /// content of the items that are asked and shown. Data that has changed in the same place has
    /// another key; the same data in another place has the same.
    ///
    /// @throws PenjingException if data is missing or damaged
    public static String key(List<Benchmark> benchmarks, BenchmarkData data, Settings settings) {
        Fingerprint all = Fingerprint.of("evaluation", 1).with("seed", settings.seed());
        for (Benchmark benchmark : benchmarks) {
            for (Task task : benchmark.tasks()) {
                all.with(benchmark.name() + " " + task.name(), key(task, data, settings));
            }
        }
        return all.sha256();
    }

    private static String key(Task task, BenchmarkData data, Settings settings) {
        TaskInfo info = task.info();
        List<JsonNode> items = data.items(info.data(), info.evaluated());
        int shots = settings.shots(task);
        Fingerprint key =
                Fingerprint.of("task", 1)
                        .with("version", info.version())
                        .with("headline", info.headline())
                        .with("shots", shots)
                        .with("order", info.order().name())
                        .with(
                                "asked",
                                content(items.subList(0, settings.asked(task, items.size()))))
                        .with(
                                "shown",
                                content(new Shots(task, shots, settings.seed(), data).pool()));
        if (task instanceof Task.Writing writing) {
            key.with("generation", settings.generation(writing).key());
        }
        return key.sha256();
    }

    private static String content(List<JsonNode> items) {
        Fingerprint content = Fingerprint.of("items", 1);
        for (int i = 0; i < items.size(); i++) {
            content.with(Integer.toString(i), items.get(i).toString());
        }
        return content.sha256();
    }

    private List<TaskResult> run(Benchmark benchmark) {
        Map<Task, List<Question>> questions = new LinkedHashMap<>();
        Map<Task, Integer> available = new LinkedHashMap<>();
        for (Task task : benchmark.tasks()) {
            List<JsonNode> items = data.items(task.info().data(), task.info().evaluated());
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
        int asked = settings.asked(task, items.size());
        if (items.isEmpty()) {
            throw new PenjingException(task.name() + " has no items in its data");
        }
        Shots shots = new Shots(task, settings.shots(task), settings.seed(), data);
        List<Question> questions = new ArrayList<>();
        for (int i = 0; i < asked; i++) {
            TaskItem item = task.read(items.get(i));
            questions.add(
                    new Question(
                            i,
                            item,
                            subject.prompts().contexts(task, shots.next(items.get(i)), item)));
        }
        return questions;
    }

    private TaskResult result(Task task, List<Question> questions, int available, Progress within) {
        long start = System.nanoTime();
        long tokensBefore = requests.tokens();
        long requestsBefore = requests.requests();
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
                settings.shots(task),
                available,
                scores,
                questions.stream().mapToDouble(q -> q.item().chance()).average().orElse(0),
                (System.nanoTime() - start) / 1e9,
                requests.tokens() - tokensBefore,
                requests.requests() - requestsBefore);
    }

    private List<Sample> choose(Task.Choosing task, List<Question> questions, Progress within) {
        String delimiter = subject.prompts().beforeChoice();
        List<List<String>> continuations =
                questions.stream().map(q -> continuations(q.item(), delimiter)).toList();
        List<double[]> likelihoods = requests.likelihoods(questions, continuations, within);
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

    private static List<String> continuations(TaskItem item, String delimiter) {
        return switch (item) {
            case TaskItem.Choices choices ->
                    choices.choices().stream().map(choice -> delimiter + choice).toList();
            case TaskItem.Contexts contexts -> List.of(delimiter + contexts.answer());
            case TaskItem.Free free -> throw new IllegalArgumentException("nothing to choose");
        };
    }

    private List<Sample> write(Task.Writing task, List<Question> questions, Progress within) {
        List<List<String>> texts = requests.texts(questions, settings.generation(task), within);
        IntFunction<Sample> judge = i -> judged(task, questions.get(i), texts.get(i));
        return task.runsPrograms()
                ? ConcurrentCalls.all(questions.size(), judge)
                : IntStream.range(0, questions.size()).mapToObj(judge).toList();
    }

    private static Sample judged(Task.Writing task, Question question, List<String> texts) {
        return new Sample(
                task.name(),
                question.index(),
                question.contexts(),
                List.of(),
                List.of(),
                texts,
                question.item().answer(),
                task.judge(question.item(), texts));
    }
}
