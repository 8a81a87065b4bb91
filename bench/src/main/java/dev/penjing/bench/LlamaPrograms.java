package dev.penjing.bench;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// The benchmarks of a compiled llama.cpp, or of ik_llama.cpp, which has the same ones: each
/// question is a process that loads the model first and times itself.
///
/// @param folder with `llama-bench` and `llama-batched-bench`
/// @param name of which of the two it is
/// @param repack whether weights are laid out anew as they load, which ik_llama.cpp does on demand
record LlamaPrograms(Path folder, String name, boolean repack, Path model, int threads)
        implements ComparedEngine {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// The column of `llama-batched-bench` with the answers' tokens/s.
    private static final int RATE = 8;

    /// @throws PenjingException if the programs are not there or do not run
    static LlamaPrograms in(Path folder, Path model, int threads) throws InterruptedException {
        for (String program : List.of("llama-bench", "llama-batched-bench")) {
            if (!Files.isExecutable(folder.resolve(program))) {
                throw new PenjingException(
                        "%s has no program %s: give the folder that llama.cpp was compiled into (build/bin)"
                                .formatted(folder, program));
            }
        }
        boolean repack =
                output(List.of(folder.resolve("llama-bench").toString(), "-h")).contains("-rtr");
        return new LlamaPrograms(
                folder.toAbsolutePath(),
                repack ? "ik_llama.cpp" : "llama-bench",
                repack,
                model,
                threads);
    }

    @Override
    public double prompt(int tokens) throws Exception {
        return bench(tokens, 0);
    }

    @Override
    public double answers(int sequences, int tokens) throws Exception {
        if (sequences == 1) {
            return bench(0, tokens);
        }
        List<String> command = command("llama-batched-bench");
        command.addAll(
                List.of("-npp", "1", "-ntg", "" + tokens, "-npl", "" + sequences, "-c", "2048"));
        if (repack) {
            command.add("-rtr");
        }
        String out = output(command);
        List<String> rows = out.lines().filter(line -> line.matches("\\|\\s*\\d.*\\|")).toList();
        if (rows.isEmpty()) {
            throw strange(command, out);
        }
        return Double.parseDouble(rows.getLast().split("\\|")[RATE].strip());
    }

    private double bench(int prompt, int answer) throws Exception {
        List<String> command = command("llama-bench");
        command.addAll(List.of("-p", "" + prompt, "-n", "" + answer, "-r", "1", "-o", "json"));
        if (repack) {
            command.addAll(List.of("-rtr", "1"));
        }
        String out = output(command);
        double rate;
        try {
            rate =
                    JSON.readTree(out.substring(Math.max(0, out.indexOf("[\n"))))
                            .at("/0/avg_ts")
                            .asDouble(0);
        } catch (JacksonException e) {
            throw strange(command, out);
        }
        if (rate <= 0) {
            throw strange(command, out);
        }
        return rate;
    }

    private List<String> command(String program) {
        return new ArrayList<>(
                List.of(
                        folder.resolve(program).toString(),
                        "-m",
                        model.toString(),
                        "-t",
                        Integer.toString(threads)));
    }

    private static PenjingException strange(List<String> command, String out) {
        return new PenjingException(
                "no figures in what `%s` printed: %s"
                        .formatted(
                                String.join(" ", command),
                                out.lines().reduce((a, b) -> b).orElse("nothing")));
    }

    private static String output(List<String> command) throws InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new PenjingException(
                    "%s does not run here (%s): compile it for this machine"
                            .formatted(command.getFirst(), e.getMessage()),
                    e);
        }
        try {
            String out = new String(process.getInputStream().readAllBytes());
            Optional<String> crash = PeerCrash.of(command.getFirst(), process);
            if (crash.isPresent()) {
                throw new PenjingException(crash.get());
            }
            return out;
        } catch (IOException e) {
            throw new PenjingException(
                    "%s was cut off: %s".formatted(command.getFirst(), e.getMessage()), e);
        } finally {
            process.destroy();
            process.waitFor();
        }
    }
}
