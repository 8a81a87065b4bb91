package dev.penjing.bench;

import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.KernelChoice;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The engine beside llama.cpp (`bench/peers/llama_cpp_engine.py`) where a Python with
/// llama-cpp-python is given, and beside the programs of a compiled llama.cpp or ik_llama.cpp where
/// their folder is: a prompt of 512 tokens, answers of 64, one and eight at once. Beside the
/// answers stands what the memory allows: as often as a loop that does nothing else reads as many
/// bytes, in the same round, since a machine shared with others has memory of many speeds.
///
/// Usage: `bench/run engine MODEL.gguf [--python PYTHON] [--programs FOLDER] [--threads 1,2]
/// [--rounds 5] [--kernels NAME] [--beside NAMES]`, where the last are kernels of ours
/// (`KernelChoice`) that compute the same beside the first ones.
final class EngineBench {
    private static final int PROMPT = 512;
    private static final int ANSWER = 64;
    private static final List<String> OPTIONS =
            List.of("--python", "--programs", "--threads", "--rounds", "--kernels", "--beside");

    private EngineBench() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 1; i < args.length; i += 2) {
            if (!OPTIONS.contains(args[i]) || i + 1 == args.length) {
                usage();
            }
            options.put(args[i], args[i + 1]);
        }
        if (args.length == 0) {
            usage();
        }
        try {
            for (String threads : options.getOrDefault("--threads", "1,2").split(",")) {
                run(
                        Path.of(args[0]),
                        Integer.parseInt(threads),
                        Integer.parseInt(options.getOrDefault("--rounds", "5")),
                        options);
            }
        } catch (PenjingException e) {
            System.err.println("penjing: " + e.getMessage());
            System.exit(1);
        } catch (NumberFormatException e) {
            usage();
        }
    }

    private static void usage() {
        System.err.println(
                "usage: bench/run engine MODEL.gguf, with a value for any of " + OPTIONS);
        System.exit(2);
    }

    private static void run(Path model, int threads, int rounds, Map<String, String> options)
            throws Exception {
        EngineOptions settings =
                EngineOptions.DEFAULT
                        .withThreads(threads)
                        .withKernels(options.getOrDefault("--kernels", KernelChoice.AUTO));
        List<ComparedEngine> all = new ArrayList<>();
        try (Closer closer = new Closer()) {
            Engine engine = Engine.load(model, settings, Progress.NONE);
            closer.own(engine, Engine::close);
            System.out.println(engine.describe());
            all.add(new ComparedEngine.Ours("Penjing", engine));
            for (String kernels : names(options.getOrDefault("--beside", ""))) {
                Engine other = Engine.load(model, settings.withKernels(kernels), Progress.NONE);
                closer.own(other, Engine::close);
                all.add(new ComparedEngine.Ours("Penjing with " + kernels, other));
            }
            if (options.containsKey("--python")) {
                LlamaPython python = LlamaPython.start(options.get("--python"), model, threads);
                closer.own(python, LlamaPython::close);
                all.add(python);
            }
            if (options.containsKey("--programs")) {
                all.add(LlamaPrograms.in(Path.of(options.get("--programs")), model, threads));
            }
            compare(engine, all, threads, rounds);
        }
    }

    private static List<String> names(String list) {
        return list.isEmpty() ? List.of() : List.of(list.split(","));
    }

    private static void compare(Engine engine, List<ComparedEngine> all, int threads, int rounds)
            throws Exception {
        String with = "%d thread%s: ".formatted(threads, threads == 1 ? "" : "s");
        System.out.printf("%n%sa prompt of %d tokens%n", with, PROMPT);
        List<SideBySide.Entry> prompts = new ArrayList<>();
        for (ComparedEngine rival : all) {
            prompts.add(new SideBySide.Entry(rival.name(), () -> rival.prompt(PROMPT)));
        }
        SideBySide.run("tokens/s", 2, rounds, prompts);
        try (MemoryLoop memory = new MemoryLoop(engine.weightBytesPerToken(), threads)) {
            for (int sequences : new int[] {1, 8}) {
                System.out.printf("%n%s%d answers of %d tokens%n", with, sequences, ANSWER);
                List<SideBySide.Entry> answers = new ArrayList<>();
                for (ComparedEngine rival : all) {
                    answers.add(
                            new SideBySide.Entry(
                                    rival.name(), () -> rival.answers(sequences, ANSWER)));
                }
                answers.add(
                        new SideBySide.Entry(
                                "reading the weights", () -> sequences * memory.passes()));
                SideBySide.run("tokens/s", 2, rounds, answers);
            }
        }
    }
}
