package dev.penjing.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// How fast benchmarks are measured, beside lm-evaluation-harness with transformers
/// (`bench/peers/lm_eval_reference.py`): the same model, items and shots, float32, in turn. Only
/// the model's time counts on either side, not starting nor reading.
///
/// Usage: `bench/run evaluation --model FOLDER --data-dir FOLDER [--python PYTHON] [--tasks
/// winogrande=100,arc_challenge=10,...] [--batch-size 1]`: a number of items behind each task; the
/// batch size is the peer's.
final class EvaluationBench {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final List<String> OPTIONS =
            List.of("--model", "--data-dir", "--python", "--tasks", "--batch-size");
    private static final String TASKS =
            "winogrande=100,arc_challenge=10,mmlu_abstract_algebra=60,hellaswag=16,truthfulqa_mc2=16,gsm8k=8";
    private static final Map<String, Integer> SHOTS =
            Map.of(
                    "winogrande", 5,
                    "arc_challenge", 25,
                    "hellaswag", 10,
                    "gsm8k", 5,
                    "truthfulqa_mc2", 0);

    private record Work(double seconds, long requests, long tokens) {}

    private final Map<String, String> options;

    private EvaluationBench(Map<String, String> options) {
        this.options = options;
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            if (!OPTIONS.contains(args[i]) || i + 1 == args.length) {
                usage();
            }
            options.put(args[i], args[i + 1]);
        }
        if (!options.containsKey("--model") || !options.containsKey("--data-dir")) {
            usage();
        }
        new EvaluationBench(options).run();
    }

    private static void usage() {
        System.err.println(
                "usage: bench/run evaluation --model FOLDER --data-dir FOLDER, and a value for any of "
                        + OPTIONS);
        System.exit(2);
    }

    private void run() throws Exception {
        System.out.printf(
                "%-24s %6s %9s %12s %12s%n", "", "items", "requests", "requests/s", "tokens/s");
        for (String spec : options.getOrDefault("--tasks", TASKS).split(",")) {
            String task = spec.substring(0, spec.indexOf('='));
            String items = spec.substring(spec.indexOf('=') + 1);
            Work ours = ours(task, items);
            print(task, items, ours);
            if (options.containsKey("--python")) {
                Work theirs = theirs(task, items);
                print("  lm-evaluation-harness", items, theirs);
                System.out.printf(
                        Locale.ROOT,
                        "  %.1f times as many requests/s%n",
                        ours.requests() / ours.seconds() / (theirs.requests() / theirs.seconds()));
            }
        }
    }

    private static void print(String name, String items, Work work) {
        System.out.printf(
                Locale.ROOT,
                "%-24s %6s %,9d %,12.1f %,12.0f%n",
                name,
                items,
                work.requests(),
                work.requests() / work.seconds(),
                work.tokens() / work.seconds());
    }

    private Work ours(String task, String items) throws Exception {
        String out =
                output(
                        Path.of(System.getProperty("penjing.home"), "penjing").toString(),
                        "evaluate",
                        option("--model"),
                        "--data-dir",
                        option("--data-dir"),
                        "--tasks",
                        task,
                        "--limit",
                        items,
                        "--dtype",
                        "float32",
                        "--no-cache",
                        "--json");
        JsonNode speed = JSON.readTree(out).path("speed").path(task);
        return new Work(
                speed.path("seconds").asDouble(),
                speed.path("requests").asLong(),
                speed.path("tokens").asLong());
    }

    private Work theirs(String task, String items) throws Exception {
        Path results = Files.createTempFile("penjing-bench", ".jsonl");
        try {
            String out =
                    output(
                            option("--python"),
                            Path.of(
                                            System.getProperty("penjing.home"),
                                            "bench/peers/lm_eval_reference.py")
                                    .toString(),
                            "--model",
                            option("--model"),
                            "--data",
                            option("--data-dir"),
                            "--to",
                            results.toString(),
                            "--tasks",
                            task,
                            "--limit",
                            items,
                            "--num-fewshot",
                            Integer.toString(SHOTS.getOrDefault(task, 5)),
                            "--batch-size",
                            options.getOrDefault("--batch-size", "1"));
            String run = out.lines().filter(l -> l.startsWith("{")).findFirst().orElseThrow();
            JsonNode work = JSON.readTree(run).path("work");
            return new Work(
                    work.path("wall_seconds").asDouble(),
                    work.path("requests").asLong(),
                    work.path("request_tokens").asLong() + work.path("generated_tokens").asLong());
        } finally {
            Files.delete(results);
        }
    }

    private String option(String name) {
        return options.getOrDefault(name, "");
    }

    private static String output(String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("PENJING_"));
        // what the launcher set for this process: neither ours nor the peer's
        builder.environment()
                .keySet()
                .removeAll(List.of("GLIBC_TUNABLES", "GOMP_SPINCOUNT", "OPENBLAS_CORETYPE"));
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(
                    "%s ended with status %d; start it by hand to see why: %s"
                            .formatted(command[0], process.exitValue(), String.join(" ", command)));
        }
        return out;
    }
}
