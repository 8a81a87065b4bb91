package dev.penjing.bench;

import dev.penjing.model.PenjingException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// llama.cpp in a process that idles while it is not asked.
record LlamaPython(Process process, PrintWriter to, BufferedReader from)
        implements ComparedEngine, AutoCloseable {
    static LlamaPython start(String python, Path model, int threads) {
        String script =
                Path.of(System.getProperty("penjing.home"), "bench/peers/llama_cpp_engine.py")
                        .toString();
        Process process;
        try {
            process =
                    new ProcessBuilder(python, script, model.toString(), Integer.toString(threads))
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
        } catch (IOException e) {
            throw new PenjingException(
                    "%s does not start: give a Python that has llama-cpp-python".formatted(python),
                    e);
        }
        return new LlamaPython(
                process,
                new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true),
                process.inputReader(StandardCharsets.UTF_8));
    }

    @Override
    public String name() {
        return "llama.cpp";
    }

    @Override
    public double prompt(int tokens) throws IOException {
        return ask("prompt " + tokens);
    }

    @Override
    public double answers(int sequences, int tokens) throws IOException {
        return ask("answer " + sequences + " " + tokens);
    }

    private double ask(String question) throws IOException {
        to.println(question);
        String line = from.readLine();
        if (line == null) {
            throw new PenjingException(
                    PeerCrash.of("llama-cpp-python", process)
                            .orElse("the peer ended: does its Python have llama-cpp-python?"));
        }
        return Double.parseDouble(line);
    }

    @Override
    public void close() {
        to.close();
        process.destroy();
    }
}
