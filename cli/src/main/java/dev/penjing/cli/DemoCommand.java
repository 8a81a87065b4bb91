package dev.penjing.cli;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.repair.RepairSettings;
import dev.penjing.compression.run.Compression;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Shape;
import dev.penjing.server.Startup;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.settings.Settings;
import dev.penjing.world.WorldFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/// `demo`
@Command(name = "demo", description = "The whole chain on the teacher that comes with Penjing.")
final class DemoCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    /// What the demo cuts the bundled teacher to, and how it heals the cut.
    private static Shape shape(Path teacher) {
        return ModelConfig.read(teacher.resolve("config.json"))
                .shape()
                .with(Axis.HIDDEN, 192)
                .with(Axis.NEURON, 480)
                .with(Axis.QUERY_HEAD, 8);
    }

    private static TrainingSettings training(long tokens) {
        return TrainingSettings.builder(tokens)
                .learningRate(1e-3, 1e-5)
                .warmupSteps(10)
                .globalBatchSize(16)
                .microBatchSize(16)
                .sequenceLength(256)
                .evaluateEvery(25)
                .build();
    }

    private static final List<String> EXAMPLES =
            List.of(
                    "Where does Cora live?",
                    "Otto has 14 eggs. Then he buys 5 more. How many eggs does Otto have now?",
                    "Many people say that the moon is made of cheese. Is that true?",
                    "Tell me a little story.");

    private static final long TEXT_SEED = 2;

    @Mixin Options.Computing computing = new Options.Computing();
    @Spec CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--dir",
            defaultValue = "runs/demo",
            description = "The run folder (default: ${DEFAULT-VALUE}).")
    Path dir = Path.of("runs/demo");

    @Option(
            names = "--tokens",
            defaultValue = "1200000",
            description = "Training tokens (default: ${DEFAULT-VALUE}).")
    long tokens = 1_200_000;

    @Option(
            names = "--megabytes",
            defaultValue = "8",
            description = "Of text to write and learn from (default: ${DEFAULT-VALUE}).")
    int megabytes = 8;

    @Option(
            names = "--samples",
            defaultValue = "512",
            description = "Sequences to score importance on (default: ${DEFAULT-VALUE}).")
    int samples = 512;

    @Option(names = "--no-serve", description = "Do not serve the models afterwards.")
    boolean noServe;

    @Option(
            names = "--port",
            description = "Where to serve them (default: 8000, or any that is free).")
    Optional<Integer> port = Optional.empty();

    @Override
    public Integer call() throws InterruptedException {
        Path teacher = Installation.current().teacher();
        ConsoleProgress progress = new ConsoleProgress();
        Path world = dir.resolve("world");
        progress.say("writing a text about the little world to " + world);
        WorldFiles.write(world, TEXT_SEED, megabytes * 1_000_000L);
        Compression.Request request =
                new Compression.Request(
                        teacher,
                        shape(teacher),
                        Optional.empty(),
                        Corpus.of(List.of(world.resolve("train.jsonl"))),
                        Optional.of(Corpus.of(List.of(world.resolve("heldout.jsonl")))),
                        dir,
                        samples,
                        256,
                        RepairSettings.DEFAULT,
                        training(tokens),
                        Optional.of(BenchmarkTasks.ofItems(world.resolve("items.jsonl"))),
                        Output.commandLine(spec));
        ObjectNode result =
                Compression.run(request, computing.start(progress), progress, progress::say);
        progress.finish();
        ResultTable.print(result, common.json, dir);
        if (!noServe) {
            serve(teacher, progress);
        }
        return 0;
    }

    /// Student and teacher, side by side.
    private void serve(Path teacher, ConsoleProgress progress) throws InterruptedException {
        Map<String, String> given = new HashMap<>();
        given.put("port", port.map(p -> Integer.toString(p)).orElseGet(DemoCommand::freePort));
        // a line for each request would hide the rest
        given.put("log-level", "warning");
        Settings settings = Settings.resolve(given, Map.of(), Optional.empty());
        EngineOptions options = Startup.engine(settings, Optional.empty());
        List<ServedModel> models =
                List.of(
                        new ServedModel("student", dir.resolve("distilled"), options),
                        new ServedModel("teacher", teacher, options));
        Serving.untilEnded(
                models,
                settings,
                EXAMPLES,
                progress,
                address -> {
                    progress.say("");
                    progress.say(
                            "Student and teacher answer at " + address + ": open it in a browser,");
                    progress.say("or ask by");
                    progress.say(
                            "  curl %s/v1/chat/completions -H 'Content-Type: application/json' -d '{\"model\": \"student\", \"temperature\": 0, \"messages\": [{\"role\": \"user\", \"content\": \"%s\"}]}'"
                                    .formatted(address, EXAMPLES.getFirst()));
                    progress.say("Ctrl-C ends it.");
                });
    }

    private static String freePort() {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 8000));
            return "8000";
        } catch (IOException e) {
            return "0";
        }
    }
}
