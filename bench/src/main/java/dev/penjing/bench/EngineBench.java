package dev.penjing.bench;

import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.SpeedTest;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The engine beside llama.cpp (`bench/peers/llama_cpp_engine.py`) where a Python with
/// llama-cpp-python is given: a prompt of 512 tokens, answers of 64, one and eight at once. Beside
/// the answers stands what the memory allows: as often as a loop that does nothing else reads as
/// many bytes, in the same round, since a machine shared with others has memory of many speeds.
///
/// Usage: `bench/run engine MODEL.gguf [--python PYTHON] [--threads 1,2] [--rounds 5]`
final class EngineBench {
    private static final int PROMPT = 512;
    private static final int ANSWER = 64;
    private static final List<String> OPTIONS = List.of("--python", "--threads", "--rounds");

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
                        Optional.ofNullable(options.get("--python")));
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

    private static void run(Path model, int threads, int rounds, Optional<String> python)
            throws Exception {
        EngineOptions settings = EngineOptions.DEFAULT.withThreads(threads);
        try (Engine engine = Engine.load(model, settings, Progress.NONE)) {
            System.out.println(engine.describe());
            Optional<Peer> peer = Optional.empty();
            if (python.isPresent()) {
                peer = Optional.of(Peer.start(python.get(), model, threads));
            }
            try {
                compare(engine, peer, threads, rounds);
            } finally {
                peer.ifPresent(Peer::close);
            }
        }
    }

    private static void compare(Engine engine, Optional<Peer> peer, int threads, int rounds)
            throws Exception {
        String with = "%d thread%s: ".formatted(threads, threads == 1 ? "" : "s");
        System.out.printf("%n%sa prompt of %d tokens%n", with, PROMPT);
        List<SideBySide.Entry> prompts =
                entries(() -> SpeedTest.prompt(engine, PROMPT), peer, "prompt " + PROMPT);
        SideBySide.run("tokens/s", 2, rounds, prompts);
        try (MemoryLoop memory = new MemoryLoop(engine.weightBytesPerToken(), threads)) {
            for (int sequences : new int[] {1, 8}) {
                System.out.printf("%n%s%d answers of %d tokens%n", with, sequences, ANSWER);
                List<SideBySide.Entry> answers =
                        entries(
                                () -> SpeedTest.answers(engine, sequences, ANSWER),
                                peer,
                                "answer " + sequences + " " + ANSWER);
                answers.add(
                        new SideBySide.Entry(
                                "reading the weights", () -> sequences * memory.passes()));
                SideBySide.run("tokens/s", 2, rounds, answers);
            }
        }
    }

    private static List<SideBySide.Entry> entries(
            SideBySide.Contestant ours, Optional<Peer> peer, String question) {
        List<SideBySide.Entry> entries = new ArrayList<>();
        entries.add(new SideBySide.Entry("Penjing", ours));
        peer.ifPresent(p -> entries.add(new SideBySide.Entry("llama.cpp", () -> p.ask(question))));
        return entries;
    }

    /// The peer's process; it idles while it is not asked.
    private record Peer(Process process, PrintWriter to, BufferedReader from) {
        static Peer start(String python, Path model, int threads) throws IOException {
            String script =
                    Path.of(System.getProperty("penjing.home"), "bench/peers/llama_cpp_engine.py")
                            .toString();
            Process process =
                    new ProcessBuilder(python, script, model.toString(), Integer.toString(threads))
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            return new Peer(
                    process,
                    new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true),
                    process.inputReader(StandardCharsets.UTF_8));
        }

        double ask(String question) throws IOException {
            to.println(question);
            String line = from.readLine();
            if (line == null) {
                throw new PenjingException(
                        "the peer ended: does its Python have llama-cpp-python?");
            }
            return Double.parseDouble(line);
        }

        void close() {
            to.close();
            process.destroy();
        }
    }
}
