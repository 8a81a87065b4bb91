package dev.penjing.cli;

import dev.penjing.compression.torch.Compute;
import dev.penjing.evaluation.Benchmark;
import dev.penjing.evaluation.Evaluation;
import dev.penjing.evaluation.PromptStyle;
import dev.penjing.evaluation.ResultCache;
import dev.penjing.evaluation.TaskResult;
import dev.penjing.evaluation.data.BenchmarkData;
import dev.penjing.evaluation.report.ComparisonTable;
import dev.penjing.evaluation.report.HarnessJson;
import dev.penjing.evaluation.tasks.Benchmarks;
import dev.penjing.evaluation.tasks.CodeBenchmarkSettings;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `evaluate`
@Command(
        name = "evaluate",
        description = {
            "Measure models on nine benchmarks: WinoGrande, ARC-Challenge, MMLU, HellaSwag, GSM8K,"
                    + " TruthfulQA, XLSum, MBPP, HumanEval.",
            "What was measured is kept: a run that was stopped goes on where it was, and a second"
                    + " run only reads."
        })
final class EvaluateCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin Options.Computing computing = new Options.Computing();

    @Parameters(paramLabel = "MODEL", arity = "1..*", description = ModelSources.DESCRIPTION)
    List<String> models = List.of();

    @Mixin BenchmarkOptions which = new BenchmarkOptions();

    @Option(
            names = "--num-fewshot",
            description = "Items shown before each, in place of each benchmark's own number.")
    Optional<Integer> shots = Optional.empty();

    @Option(
            names = "--seed",
            defaultValue = "1234",
            description =
                    "Of the draw of shots and of sampled programs (default: ${DEFAULT-VALUE}, as"
                            + " lm-evaluation-harness).")
    long seed = 1234;

    @Option(
            names = "--engine",
            description =
                    "Measure as the engine computes, on quantised weights and activations, rather"
                            + " than in floating point.")
    boolean engine;

    @Mixin EngineSettings.Kernels kernels = new EngineSettings.Kernels();

    @Option(
            names = "--bos",
            defaultValue = "auto",
            description =
                    "on or off: whether texts begin with the token for that; auto does as the"
                            + " model's tokenizer (default).")
    String bos = "auto";

    @Option(
            names = "--chat-template",
            description = "Ask in the form of the model's own chat template.")
    boolean chatTemplate;

    @Option(
            names = "--fewshot-as-multiturn",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "With --chat-template: shots are turns of their own (default).")
    boolean separateTurns = true;

    @Option(
            names = "--max-new-tokens",
            description = "Longest written answer, in place of each benchmark's own.")
    Optional<Integer> maxNewTokens = Optional.empty();

    @Option(
            names = "--samples",
            defaultValue = "1",
            description = "Programs written for each item of MBPP and HumanEval (default: 1).")
    int samples = 1;

    @Option(
            names = "--temperature",
            defaultValue = "0.2",
            description = "Of programs (default: ${DEFAULT-VALUE}).")
    double temperature = 0.2;

    @Option(
            names = "--top-p",
            defaultValue = "0.95",
            description = "Of programs (default: ${DEFAULT-VALUE}).")
    double topP = 0.95;

    @Option(
            names = "--pass-at",
            split = ",",
            defaultValue = "1",
            description = "Values of k for pass@k, none above --samples (default: 1).")
    List<Integer> passAt = List.of(1);

    @Option(
            names = "--samples-out",
            paramLabel = "FILE",
            description = "Every prompt, answer and verdict, as JSON lines.")
    Optional<Path> samplesOut = Optional.empty();

    @Option(
            names = "--cache-dir",
            description = "Where results are kept (default: ~/.cache/penjing/evaluations).")
    Optional<Path> cacheDir = Optional.empty();

    @Option(names = "--no-cache", description = "Keep no results, use none.")
    boolean noCache;

    @Option(
            names = "--published",
            description = "Show what NVIDIA published for its models beside.")
    boolean published;

    @Override
    public Integer call() {
        check();
        PromptStyle style = style();
        ConsoleProgress progress = new ConsoleProgress();
        BenchmarkData data = which.data(progress);
        Map<String, List<TaskResult>> results = new LinkedHashMap<>();
        List<ObjectNode> provenance = new ArrayList<>();
        try (SandboxRunner runner = new SandboxRunner(Installation.current(), computing.threads);
                SampleFile out = SampleFile.of(samplesOut)) {
            CodeBenchmarkSettings programs =
                    new CodeBenchmarkSettings(samples, temperature, topP, passAt, runner::get);
            List<Benchmark> benchmarks = Benchmarks.of(which.tasks.orElse("all"), programs);
            Evaluation.Settings settings =
                    new Evaluation.Settings(
                            shots.map(OptionalInt::of).orElse(OptionalInt.empty()),
                            which.limit(),
                            maxNewTokens.map(OptionalInt::of).orElse(OptionalInt.empty()),
                            seed);
            BenchmarkOptions.check(benchmarks, data, runner);
            for (String model : models) {
                try (EvaluatedModel measured = open(model, style, progress);
                        ResultCache cache = cache(measured)) {
                    provenance.add(provenance(measured));
                    results.put(
                            model,
                            Evaluation.run(
                                    measured.subject(),
                                    benchmarks,
                                    data,
                                    settings,
                                    cache,
                                    progress,
                                    sample -> out.write(model, sample)));
                }
                progress.finish();
            }
            if (common.json) {
                Output.print(json(benchmarks, results, provenance));
            } else {
                System.out.print(
                        new ComparisonTable(benchmarks, results, published, ConsoleProgress::time)
                                .text());
            }
        }
        return 0;
    }

    private void check() {
        if (shots.orElse(0) < 0) {
            throw new UsageException("--num-fewshot cannot be negative");
        }
        if (maxNewTokens.orElse(1) < 1) {
            throw new UsageException("--max-new-tokens must be at least 1");
        }
        if (seed < 0) {
            throw new UsageException("--seed cannot be negative");
        }
        if (temperature < 0 || topP <= 0 || topP > 1) {
            throw new UsageException(
                    "--temperature must be at least 0, --top-p above 0 and at most 1");
        }
        if (models.stream().distinct().count() < models.size()) {
            throw new UsageException("the same model is named twice");
        }
        kernels.check(engine);
        if (engine && (!computing.device.equals("auto") || !computing.type.equals("auto"))) {
            throw new UsageException(
                    "--engine has its own device and types: leave --device and --dtype out");
        }
    }

    private PromptStyle style() {
        return new PromptStyle(
                switch (bos) {
                    case "auto" -> Optional.empty();
                    case "on" -> Optional.of(true);
                    case "off" -> Optional.of(false);
                    default -> throw new UsageException("--bos is on, off or auto, not " + bos);
                },
                chatTemplate,
                separateTurns);
    }

    private EvaluatedModel open(String model, PromptStyle style, ConsoleProgress progress) {
        if (engine) {
            EngineOptions options = kernels.on(computing.threads);
            EvaluatedModel measured =
                    EvaluatedModel.onEngine(
                            ModelSources.enginePath(model, progress), style, options, progress);
            progress.say(measured.computedBy());
            return measured;
        }
        Compute compute = computing.start(progress);
        return EvaluatedModel.onTorch(
                ModelSources.directory(model, progress), style, compute, progress);
    }

    /// Of which model the numbers are, and what computed them.
    private static ObjectNode provenance(EvaluatedModel measured) {
        ObjectNode json = Output.object();
        json.put("model_sha256", measured.subject().content());
        json.put("computed_by", measured.computedBy());
        json.set("arithmetic", measured.subject().arithmetic().toJson());
        return json;
    }

    private ResultCache cache(EvaluatedModel measured) {
        return noCache
                ? ResultCache.none()
                : ResultCache.of(
                        cacheDir.orElseGet(() -> ModelSources.cache().resolve("evaluations")),
                        measured.subject().key());
    }

    private ObjectNode json(
            List<Benchmark> benchmarks,
            Map<String, List<TaskResult>> results,
            List<ObjectNode> provenance) {
        List<ObjectNode> all = new ArrayList<>();
        results.forEach((model, of) -> {
            ObjectNode one = HarnessJson.of(benchmarks, of);
            ObjectNode config = one.putObject("config");
            config.put("model", model);
            config.setAll(provenance.get(all.size()));
            config.put("fewshot_seed", seed);
            config.put("bos", bos);
            config.put("chat_template", chatTemplate);
            config.put("fewshot_as_multiturn", chatTemplate && separateTurns);
            which.limit.ifPresent(n -> config.put("limit", n));
            all.add(one);
        });
        if (all.size() == 1) {
            return all.getFirst();
        }
        ObjectNode json = Output.object();
        ArrayNode array = json.putArray("models");
        all.forEach(array::add);
        return json;
    }
}
