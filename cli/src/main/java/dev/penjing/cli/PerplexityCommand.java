package dev.penjing.cli;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.run.Measuring;
import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.measuring.Perplexity;
import dev.penjing.model.UsageException;
import dev.penjing.model.files.JsonText;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `perplexity`
@Command(name = "perplexity", description = "Measure a model on a text.")
final class PerplexityCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Mixin Options.Computing computing = new Options.Computing();

    @Parameters(paramLabel = "MODEL", description = ModelSources.DESCRIPTION)
    String model = "";

    @Option(names = "--data", required = true, description = "The text.")
    Path data = Path.of("");

    @Option(
            names = "--sequence-length",
            defaultValue = "2048",
            description = "Tokens a window (default: ${DEFAULT-VALUE}, or the model's context).")
    int sequenceLength = 2048;

    @Option(
            names = "--engine",
            description =
                    "Measure as the engine computes, on quantised weights and activations, rather"
                            + " than in floating point.")
    boolean engine;

    @Mixin EngineSettings.Kernels kernels = new EngineSettings.Kernels();

    @Override
    public Integer call() {
        kernels.check(engine);
        ConsoleProgress progress = new ConsoleProgress();
        ObjectNode result =
                engine
                        ? onEngine(progress)
                        : Measuring.perplexity(
                                ModelSources.directory(model, progress),
                                data,
                                sequenceLength,
                                computing.start(progress),
                                progress);
        progress.finish();
        if (common.json) {
            Output.print(result);
        } else {
            JsonNode bits = result.path("bits_per_byte");
            System.out.printf(
                    "perplexity %.4f, %s bits per byte, over %,d tokens (%,d bytes)%n",
                    result.path("perplexity").asDouble(),
                    bits.isNumber() ? "%.4f".formatted(bits.asDouble()) : "no",
                    result.path("tokens").asLong(),
                    result.path("bytes").asLong());
        }
        return 0;
    }

    private ObjectNode onEngine(ConsoleProgress progress) {
        if (!computing.device.equals("auto") || !computing.type.equals("auto")) {
            throw new UsageException(
                    "--engine has its own device and types: leave --device and --dtype out");
        }
        Corpus text = Corpus.of(List.of(data));
        EngineOptions options = kernels.on(computing.threads);
        try (Engine loaded =
                Engine.load(ModelSources.enginePath(model, progress), options, progress)) {
            progress.finish();
            progress.say(loaded.describe());
            Perplexity measured =
                    Perplexity.measure(
                            loaded.languageModel(),
                            loaded.conventions().textBegin(),
                            text::forEach,
                            sequenceLength,
                            progress);
            ObjectNode result = Output.object();
            result.put("model", model);
            result.put("perplexity", measured.perplexity());
            JsonText.put(result, "bits_per_byte", measured.bitsPerByte());
            result.put("tokens", measured.tokens());
            result.put("bytes", measured.bytes());
            result.put("seconds", measured.seconds());
            return result;
        }
    }
}
