package dev.penjing.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Runs commands as a user does: in this process where they end by themselves, else in one of their
/// own.
final class CommandLines {
    static final String TEACHER = Path.of("..", "teacher").toString();

    private CommandLines() {}

    record Outcome(int status, String out, String err) {
        /// What it printed for programs.
        JsonNode json() {
            assertThat(status).as(err).isZero();
            return JsonMapper.shared().readTree(out);
        }

        /// The message that ended it, alone on its line and without a stack trace.
        String failure() {
            assertThat(err).doesNotContain("\tat ");
            List<String> lines = err.lines().filter(l -> l.startsWith("penjing: ")).toList();
            assertThat(lines).as(err).hasSize(1);
            return err;
        }
    }

    static Outcome run(String... args) {
        return runWith("", args);
    }

    /// Runs a command that must succeed.
    static Outcome succeed(String... args) {
        Outcome outcome = run(args);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        return outcome;
    }

    /// @param input what stands on its standard input
    static Outcome runWith(String input, String... args) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        InputStream in = System.in;
        ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
        ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
        try {
            System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
            System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
            int status = Main.run(args);
            return new Outcome(
                    status,
                    outBytes.toString(StandardCharsets.UTF_8),
                    errBytes.toString(StandardCharsets.UTF_8));
        } finally {
            System.setIn(in);
            System.setOut(out);
            System.setErr(err);
        }
    }

    static void fails(int status, String what, String... args) {
        Outcome outcome = run(args);
        assertThat(outcome.status()).as(outcome.err()).isEqualTo(status);
        assertThat(outcome.failure()).contains(what);
    }

    /// Starts a command in a process of its own, what it says on standard error beside the rest.
    static Process start(Map<String, String> environment, String... args) throws IOException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:+UseSerialGC",
                                "--enable-native-access=ALL-UNNAMED",
                                "--add-modules=jdk.incubator.vector",
                                "-cp",
                                System.getProperty("java.class.path"),
                                "dev.penjing.cli.Main"));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        return builder.start();
    }
}
