package dev.penjing.cli;

import dev.penjing.compression.data.Corpus;
import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.measuring.SpeedTest;
import dev.penjing.model.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `bench`
@Command(
        name = "bench",
        description =
                "Time a model on the engine: random prompts or a text's, greedy answers, medians. Do"
                        + " nothing else meanwhile.")
final class BenchCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin EngineSettings settings = new EngineSettings();

    @Parameters(paramLabel = "MODEL", description = ModelSources.DESCRIPTION)
    String model = "";

    @Option(
            names = "--prompt-tokens",
            split = ",",
            defaultValue = "512",
            description = "Lengths of prompts (default: ${DEFAULT-VALUE}).")
    List<Integer> promptTokens = List.of();

    @Option(
            names = "--new-tokens",
            defaultValue = "64",
            description = "Of an answer (default: ${DEFAULT-VALUE}).")
    int newTokens = 64;

    @Option(
            names = "--batch",
            split = ",",
            defaultValue = "1,8",
            description = "Sequences at once (default: ${DEFAULT-VALUE}).")
    List<Integer> batches = List.of();

    @Option(
            names = "--thread-counts",
            split = ",",
            description = "Threads to try, one after the other (default: --threads).")
    List<Integer> threadCounts = new ArrayList<>();

    @Option(
            names = "--repeats",
            defaultValue = "5",
            description = "Of which the median is shown (default: ${DEFAULT-VALUE}).")
    int repeats = 5;

    @Option(
            names = "--data",
            description =
                    "Text to take prompts from; --draft needs it, as a draft is as good as the text"
                            + " is usual (default: random tokens).")
    Optional<Path> data = Optional.empty();

    @Override
    public Integer call() {
        if (settings.draft.isPresent() && data.isEmpty()) {
            throw new UsageException("--draft needs --data: nobody can guess random tokens");
        }
        Optional<String> text = data.map(d -> Corpus.of(List.of(d)).text());
        ConsoleProgress progress = new ConsoleProgress();
        EngineOptions options = settings.options(progress);
        Path path = ModelSources.enginePath(model, progress);
        List<Integer> counts = threadCounts.isEmpty() ? List.of(settings.threads) : threadCounts;
        ObjectNode result = Output.object();
        result.put("model", model);
        ArrayNode rows = result.putArray("rows");
        for (int count : counts) {
            try (Engine engine = Engine.load(path, options.withThreads(count), progress)) {
                progress.finish();
                progress.say(engine.describe());
                Optional<int[]> ids = text.map(engine.tokenizer()::encode);
                for (int batch : batches) {
                    for (int prompt : promptTokens) {
                        SpeedTest.Row row =
                                SpeedTest.run(engine, ids, batch, prompt, newTokens, repeats);
                        print(rows, engine.threads(), row);
                    }
                }
            }
        }
        if (common.json) {
            Output.print(result);
        }
        return 0;
    }

    private void print(ArrayNode rows, int threads, SpeedTest.Row row) {
        ObjectNode json = rows.addObject();
        json.put("threads", threads);
        json.put("batch", row.batch());
        json.put("prompt_tokens", row.promptTokens());
        json.put("new_tokens", row.newTokens());
        json.put("prefill_tokens_per_s", row.prefillTokensPerSecond());
        json.put("decode_tokens_per_s", row.decodeTokensPerSecond());
        json.put("time_to_first_token", row.firstTokenSeconds());
        row.drafted()
                .ifPresent(drafted -> {
                    json.put("draft_decode_tokens_per_s", drafted.decodeTokensPerSecond());
                    json.put("draft_ratio", drafted.ratio());
                    json.put("draft_acceptance", drafted.acceptance());
                });
        if (!common.json) {
            if (rows.size() == 1) {
                System.out.println(
                        "threads  batch  prompt  new   prefill tok/s   decode tok/s   first token"
                                + (settings.draft.isPresent()
                                        ? "   with draft   ratio   accepted"
                                        : ""));
            }
            System.out.printf(
                    Locale.ROOT,
                    "%7d  %5d  %6d  %3d   %13.1f   %12.1f   %9.3f s%s%n",
                    threads,
                    row.batch(),
                    row.promptTokens(),
                    row.newTokens(),
                    row.prefillTokensPerSecond(),
                    row.decodeTokensPerSecond(),
                    row.firstTokenSeconds(),
                    row.drafted().map(BenchCommand::columns).orElse(""));
        }
    }

    private static String columns(SpeedTest.Drafted drafted) {
        return String.format(
                Locale.ROOT,
                "   %10.1f   %5.2f   %6.1f %%",
                drafted.decodeTokensPerSecond(),
                drafted.ratio(),
                100 * drafted.acceptance());
    }
}
