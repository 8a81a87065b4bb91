package dev.penjing.bench;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.training.Checkpoints;
import dev.penjing.compression.training.RandomWeights;
import dev.penjing.compression.training.Trainer;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Tokens a second of a distillation step on random weights and tokens, beside eager PyTorch
/// (`bench/peers/distillation_step.py`) where a Python with torch is given.
///
/// Usage: `bench/run distillation [--python PYTHON] [--shape demo|vocabulary] [--dtype
/// bfloat16|float32] [--batch 16] [--length 256] [--steps 40]`
final class DistillationBench {
    /// Teacher and student: they differ in channels and neurons.
    private record Shape(
            int layers,
            int heads,
            int keyValueHeads,
            int headDim,
            int vocabulary,
            int teacherHidden,
            int teacherIntermediate,
            int studentHidden,
            int studentIntermediate) {
        /// The demo's, and one with the vocabulary of a real model, whose logits are most of the
        /// memory of a step.
        private static final Map<String, Shape> BY_NAME =
                Map.of(
                        "demo", new Shape(6, 8, 4, 32, 2048, 256, 704, 208, 448),
                        "vocabulary", new Shape(6, 6, 6, 48, 32_000, 288, 768, 224, 512));

        ModelConfig teacher(int length) {
            return config(teacherHidden, teacherIntermediate, length);
        }

        ModelConfig student(int length) {
            return config(studentHidden, studentIntermediate, length);
        }

        private ModelConfig config(int hidden, int intermediate, int length) {
            return ModelConfig.parse(
                    """
                    {"model_type": "llama", "vocab_size": %d, "hidden_size": %d,
                     "intermediate_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d,
                     "num_key_value_heads": %d, "head_dim": %d, "max_position_embeddings": %d,
                     "tie_word_embeddings": true, "rms_norm_eps": 1e-5}
                    """
                            .formatted(
                                    vocabulary,
                                    hidden,
                                    intermediate,
                                    layers,
                                    heads,
                                    keyValueHeads,
                                    headDim,
                                    length),
                    "the benchmark's shape");
        }

        List<String> arguments() {
            return IntStream.of(
                            layers,
                            heads,
                            keyValueHeads,
                            headDim,
                            vocabulary,
                            teacherHidden,
                            teacherIntermediate,
                            studentHidden,
                            studentIntermediate)
                    .mapToObj(Integer::toString)
                    .toList();
        }
    }

    private static final List<String> OPTIONS =
            List.of("--python", "--shape", "--dtype", "--batch", "--length", "--steps");

    private final Shape shape;
    private final String dtype;
    private final int batch;
    private final int length;
    private final int steps;
    private final Path folder;

    private DistillationBench(Map<String, String> options, Path folder) {
        Shape named = Shape.BY_NAME.get(options.getOrDefault("--shape", "demo"));
        if (named == null) {
            throw new IllegalArgumentException("--shape is one of " + Shape.BY_NAME.keySet());
        }
        this.shape = named;
        this.dtype = options.getOrDefault("--dtype", "bfloat16");
        this.batch = Integer.parseInt(options.getOrDefault("--batch", "16"));
        this.length = Integer.parseInt(options.getOrDefault("--length", "256"));
        this.steps = Integer.parseInt(options.getOrDefault("--steps", "40"));
        this.folder = folder;
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            if (!OPTIONS.contains(args[i]) || i + 1 == args.length) {
                System.err.println(
                        "usage: bench/run distillation, with a value for any of " + OPTIONS);
                System.exit(2);
            }
            options.put(args[i], args[i + 1]);
        }
        Path folder = Files.createTempDirectory("penjing-bench");
        try {
            run(options, folder);
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
            }
        }
    }

    private static void run(Map<String, String> options, Path folder) throws Exception {
        DistillationBench bench = new DistillationBench(options, folder);
        List<SideBySide.Entry> entries = new ArrayList<>();
        entries.add(new SideBySide.Entry("Penjing", bench::ours));
        Optional.ofNullable(options.get("--python"))
                .ifPresent(python -> {
                    entries.add(
                            new SideBySide.Entry(
                                    "PyTorch, memory kept", () -> bench.theirs(python, true)));
                    entries.add(
                            new SideBySide.Entry(
                                    "PyTorch as it comes", () -> bench.theirs(python, false)));
                });
        SideBySide.run("tokens/s", 0, 3, entries);
    }

    /// The median step, warm-up left out.
    private double ours() throws IOException {
        Compute compute = Compute.start("cpu", dtype, 0);
        ModelConfig teacher = shape.teacher(length);
        ModelConfig student = shape.student(length);
        TrainingSettings settings =
                TrainingSettings.builder((long) steps * batch * length)
                        .learningRate(1e-4, 1e-5)
                        .warmupSteps(1)
                        .globalBatchSize(batch)
                        .microBatchSize(batch)
                        .sequenceLength(length)
                        .evaluateEvery(Integer.MAX_VALUE)
                        .checkpointEvery(Integer.MAX_VALUE)
                        .build();
        Path checkpoint = folder.resolve("teacher");
        saveTeacher(teacher, compute, checkpoint);
        List<Double> seconds = new ArrayList<>();
        try (TokenFile tokens = tokens();
                FlatParameters weights =
                        FlatParameters.load(checkpoint, teacher, compute, compute.type());
                Decoder decoder = new Decoder(teacher, weights, compute);
                Trainer trainer =
                        new Trainer(
                                settings,
                                student,
                                RandomWeights.draw(student, 2, compute),
                                Optional.of(decoder),
                                new Sequences(tokens, length, 1),
                                Optional.empty(),
                                compute)) {
            long[] last = {System.nanoTime()};
            Path run = Files.createTempDirectory(folder, "run");
            trainer.run(
                    run,
                    "bench",
                    false,
                    (what, done, total, note) -> {
                        long now = System.nanoTime();
                        seconds.add((now - last[0]) / 1e9);
                        last[0] = now;
                    });
            System.out.println(trainer.times().describe());
        }
        double[] warm =
                seconds.stream().skip(seconds.size() / 4).mapToDouble(s -> s).sorted().toArray();
        return batch * length / warm[warm.length / 2];
    }

    private static void saveTeacher(ModelConfig config, Compute compute, Path directory) {
        if (Files.exists(directory)) {
            return;
        }
        try (FlatParameters drawn = RandomWeights.draw(config, 1, compute)) {
            Checkpoints.write(config, drawn, directory, DType.BF16);
        }
    }

    private TokenFile tokens() throws IOException {
        Path file = folder.resolve("tokens.bin");
        ByteBuffer ids = ByteBuffer.allocate(4 << 20).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(1);
        while (ids.hasRemaining()) {
            ids.putInt(random.nextInt(shape.vocabulary()));
        }
        Files.write(file, ids.array());
        return TokenFile.open(file);
    }

    private double theirs(String python, boolean keepMemory) throws Exception {
        String script =
                Path.of(System.getProperty("penjing.home"), "bench/peers/distillation_step.py")
                        .toString();
        List<String> command = new ArrayList<>(List.of(python, script, dtype));
        IntStream.of(batch, length, steps).mapToObj(Integer::toString).forEach(command::add);
        command.addAll(shape.arguments());
        ProcessBuilder builder = new ProcessBuilder(command);
        // what the launcher set for ours
        builder.environment().keySet().removeAll(List.of("GOMP_SPINCOUNT", "OPENBLAS_CORETYPE"));
        if (keepMemory) {
            builder.environment()
                    .put(
                            "GLIBC_TUNABLES",
                            "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=17179869184");
        } else {
            builder.environment().remove("GLIBC_TUNABLES");
        }
        Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("the peer failed: " + out);
        }
        double[] rates =
                Arrays.stream(out.strip().split("\n")).mapToDouble(Double::parseDouble).toArray();
        double[] warm = Arrays.copyOfRange(rates, rates.length / 4, rates.length);
        Arrays.sort(warm);
        System.out.printf(Locale.ROOT, "  (%d steps of the peer)%n", rates.length);
        return warm[warm.length / 2];
    }
}
