package dev.penjing.cli;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.run.Quantizing;
import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.measuring.Perplexity;
import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/// `quantize`
@Command(
        name = "quantize",
        description = "Write a model as a GGUF file, for Penjing's engine or any other.")
final class QuantizeCommand implements Callable<Integer> {
    /// Names of the types.
    static final class Types implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return FileType.names().iterator();
        }
    }

    @Mixin Options.Common common = new Options.Common();

    @Parameters(paramLabel = "MODEL", description = ModelSources.DESCRIPTION)
    String model = "";

    @Option(
            names = "--type",
            defaultValue = "q4_0",
            completionCandidates = Types.class,
            description =
                    "${COMPLETION-CANDIDATES}: what the matrices are stored in, as llama.cpp names and mixes it (default: ${DEFAULT-VALUE}).")
    String type = "q4_0";

    @Option(names = "--to", required = true, description = "The GGUF file.")
    Path to = Path.of("");

    @Option(
            names = "--data",
            description =
                    "A text to measure on: perplexity of the model in eight bits, and of the file.")
    Optional<Path> data = Optional.empty();

    @Option(
            names = "--calibration",
            arity = "1..*",
            description =
                    "Text that the rounding goes by: how much each column matters, and which others make up for its error. Without it large weights count more.")
    List<Path> calibration = List.of();

    @Mixin SampleOptions sampled = new SampleOptions();
    @Mixin Options.Computing computing = new Options.Computing();
    @Spec CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        Targets.keepApart(to, model);
        ConsoleProgress progress = new ConsoleProgress();
        FileType fileType = FileType.named(type);
        if (calibration.isEmpty()) {
            SampleOptions.requireNone(spec, "--calibration");
        } else if (!fileType.calibrated()) {
            throw new UsageException(
                    "--calibration changes nothing in a file of type %s: leave it out"
                            .formatted(type));
        }
        // before anything is written: it may not be there
        Optional<Corpus> measured = data.map(file -> Corpus.of(List.of(file)));
        Path directory = ModelSources.directory(model, progress);
        if (calibration.isEmpty()) {
            GgufExport.run(directory, to, fileType, progress);
        } else {
            Quantizing.run(
                    directory,
                    to,
                    fileType,
                    Corpus.of(calibration),
                    sampled.samples,
                    sampled.sequenceLength,
                    sampled.seed,
                    computing.start(progress),
                    progress);
        }
        progress.finish();
        ObjectNode result = Output.object();
        result.put("file", to.toString());
        result.put("type", type);
        result.put("bytes", size(to));
        measured.ifPresent(text -> {
            result.put("perplexity_before", perplexity(directory, text, progress));
            result.put("perplexity", perplexity(to, text, progress));
        });
        if (common.json) {
            Output.print(result);
        } else {
            System.out.printf(Locale.ROOT, "%s: %.1f MB%n", to, size(to) / 1e6);
            measured.ifPresent(text ->
                    System.out.printf(
                            Locale.ROOT,
                            "perplexity %.4f in eight bits, %.4f in the file%n",
                            result.path("perplexity_before").asDouble(),
                            result.path("perplexity").asDouble()));
        }
        return 0;
    }

    private static double perplexity(Path model, Corpus text, ConsoleProgress progress) {
        try (Engine engine = Engine.load(model, EngineOptions.DEFAULT, progress)) {
            progress.finish();
            progress.say(engine.describe());
            double result =
                    Perplexity.measure(
                                    engine.languageModel(),
                                    engine.conventions().textBegin(),
                                    text::forEach,
                                    2048,
                                    progress)
                            .perplexity();
            progress.finish();
            return result;
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
