package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.GenerationSettings;
import dev.penjing.evaluation.code.CodeRunner;
import dev.penjing.evaluation.metrics.PassAtK;
import dev.penjing.model.UsageException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Supplier;

/// What the benchmarks of programs have in common: several texts for each item, each run with the
/// item's checks, scored by pass@k. As bigcode-evaluation-harness does, whose defaults are one
/// sample at temperature 0.2 and top-p 0.95, prompt and program in 512 tokens.
///
/// @param temperature 0 writes the likeliest
/// @param passAt the values of k, none above `samples`
/// @param runner started when the first program is to be run
public record CodeBenchmarkSettings(
        int samples,
        double temperature,
        double topP,
        List<Integer> passAt,
        Supplier<CodeRunner> runner) {
    private static final int TOKENS = 512;

    /// @throws UsageException if the settings contradict each other
    public CodeBenchmarkSettings {
        if (samples < 1) {
            throw new UsageException("`samples` must be at least 1");
        }
        if (temperature == 0 && samples > 1) {
            throw new UsageException(
                    "`samples` %d at temperature 0 would be as many times the same text: raise `temperature`"
                            .formatted(samples));
        }
        for (int k : passAt) {
            if (k < 1 || k > samples) {
                throw new UsageException(
                        "pass@%d needs at least %d samples: raise `samples`".formatted(k, k));
            }
        }
    }

    /// One sample each, as the harness has it unless told otherwise.
    public static CodeBenchmarkSettings usual(Supplier<CodeRunner> runner) {
        return new CodeBenchmarkSettings(1, 0.2, 0.95, List.of(1), runner);
    }

    GenerationSettings generation(List<String> until) {
        return new GenerationSettings(
                until, TOKENS, OptionalInt.of(TOKENS), temperature, topP, samples, false);
    }

    static String metric(int k) {
        return "pass@" + k + ",none";
    }

    /// @param programs complete, with their checks
    Map<String, Double> judge(List<String> programs) {
        CodeRunner python = runner.get();
        int passed = 0;
        for (String program : programs) {
            passed += python.run(program).passed() ? 1 : 0;
        }
        Map<String, Double> scores = new LinkedHashMap<>();
        for (int k : passAt) {
            scores.put(metric(k), PassAtK.at(k, programs.size(), passed));
        }
        return scores;
    }
}
