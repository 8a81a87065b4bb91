package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Benchmark;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.data.OwnItems;
import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The nine benchmarks by name.
public final class Benchmarks {
    private Benchmarks() {}

    /// All, in the order in which NVIDIA's tables have them.
    public static List<Benchmark> all(CodeBenchmarkSettings settings) {
        return List.of(
                Benchmark.of(new Winogrande()),
                Benchmark.of(new ArcChallenge()),
                mmlu(),
                Benchmark.of(new HellaSwag()),
                Benchmark.of(new Gsm8k()),
                Benchmark.of(new TruthfulQa()),
                Benchmark.of(new XlSum()),
                Benchmark.of(new Mbpp(settings)),
                Benchmark.of(new HumanEval(settings)));
    }

    /// The names of all of them, in that order.
    public static List<String> names() {
        CodeBenchmarkSettings never =
                CodeBenchmarkSettings.usual(() -> {
                    throw new IllegalStateException("only the names are asked for");
                });
        return all(never).stream().map(Benchmark::name).toList();
    }

    /// @param names `all`, or names separated by commas; single subjects and groups of MMLU too
    /// @throws UsageException if a name is not known
    public static List<Benchmark> of(String names, CodeBenchmarkSettings settings) {
        Map<String, Benchmark> known = new LinkedHashMap<>();
        all(settings).forEach(benchmark -> known.put(benchmark.name(), benchmark));
        List<String> main = List.copyOf(known.keySet());
        Benchmark mmlu = mmlu();
        mmlu.tasks().forEach(task -> known.put(task.name(), Benchmark.of(task)));
        mmlu.groups()
                .forEach((name, tasks) -> known.put(name, new Benchmark(name, tasks, Map.of())));
        Map<String, Benchmark> chosen = new LinkedHashMap<>();
        for (String name : names.split(",")) {
            String one = name.strip();
            if (one.equals("all")) {
                main.forEach(each -> chosen.put(each, known.getOrDefault(each, mmlu)));
                continue;
            }
            Benchmark benchmark = known.get(one);
            if (benchmark == null) {
                throw new UsageException(
                        "there is no task '%s': `tasks` takes all, %s, or a subject or group of MMLU such as mmlu_astronomy or mmlu_stem"
                                .formatted(one, String.join(", ", main)));
            }
            chosen.put(one, benchmark);
        }
        return List.copyOf(chosen.values());
    }

    /// The tasks of a file of one's own.
    public static List<Benchmark> own(OwnItems items) {
        return items.tasks().stream()
                .map(task ->
                        items.written(task)
                                ? Benchmark.of(new OwnQuestions.Written(task))
                                : Benchmark.of(new OwnQuestions(task)))
                .toList();
    }

    /// Whether any of them runs what a model wrote, and so needs a sandbox.
    public static boolean runPrograms(List<Benchmark> benchmarks) {
        return benchmarks.stream()
                .flatMap(benchmark -> benchmark.tasks().stream())
                .anyMatch(Task::runsPrograms);
    }

    private static Benchmark mmlu() {
        Map<String, List<Task>> groups = new LinkedHashMap<>();
        List<Task> all = new ArrayList<>();
        Mmlu.GROUPS.forEach((group, subjects) -> {
            List<Task> tasks = subjects.stream().<Task>map(Mmlu::new).toList();
            groups.put(group, tasks);
            all.addAll(tasks);
        });
        return new Benchmark("mmlu", all, groups);
    }
}
