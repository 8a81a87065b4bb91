package dev.penjing.cli;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.constraint.Constraint;
import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `chat`
@Command(name = "chat", description = "Talk with a model, on the engine.")
final class ChatCommand implements Callable<Integer> {
    private static final String HELP =
            """
            /new            forget the conversation
            /system TEXT    set the system prompt, and start anew
            /history        show the conversation
            /help           this
            /quit           leave (Ctrl-D too)\
            """;

    @Mixin Options.Basic common = new Options.Basic();

    @Mixin EngineSettings settings = new EngineSettings();

    @Parameters(paramLabel = "MODEL", description = ModelSources.DESCRIPTION)
    String model = "";

    @Option(names = "--system", description = "A system prompt.")
    Optional<String> system = Optional.empty();

    @Option(
            names = "--max-new-tokens",
            defaultValue = "512",
            description = "Of an answer (default: ${DEFAULT-VALUE}).")
    int maxNewTokens = 512;

    @Option(
            names = "--temperature",
            defaultValue = "0",
            description = "0 always takes the likeliest token (default).")
    float temperature;

    @Option(
            names = "--top-p",
            defaultValue = "1",
            description = "Draw from the likeliest tokens of this probability (default: 1).")
    float topP = 1;

    @Option(names = "--seed", description = "The same seed gives the same answers.")
    Optional<Long> seed = Optional.empty();

    @Option(
            names = "--json-schema",
            paramLabel = "FILE",
            description = "Answers are JSON values that fit the JSON Schema in the file.")
    Optional<Path> jsonSchema = Optional.empty();

    @Option(names = "--json-object", description = "Answers are JSON objects.")
    boolean jsonObject;

    private Optional<Constraint> constraint = Optional.empty();
    private final List<Map<String, String>> messages = new ArrayList<>();
    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    @Override
    public Integer call() throws IOException {
        Sampling sampling = sampling();
        if (maxNewTokens < 1) {
            throw new UsageException("--max-new-tokens must be at least 1");
        }
        constraint = constraint();
        ConsoleProgress progress = new ConsoleProgress();
        try (Engine engine =
                Engine.load(
                        ModelSources.enginePath(model, progress),
                        settings.options(progress),
                        progress)) {
            progress.finish();
            progress.say(engine.describe());
            forget();
            out.println("/help shows what else you can type; Ctrl-D ends.");
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            out.print("> ");
            for (String line = in.readLine();
                    line != null && !line.strip().equals("/quit");
                    line = in.readLine()) {
                respond(engine, sampling, line.strip());
                out.print("> ");
            }
            out.println();
        }
        return 0;
    }

    private void forget() {
        messages.clear();
        system.ifPresent(text -> messages.add(Map.of("role", "system", "content", text)));
    }

    private void respond(Engine engine, Sampling sampling, String line) {
        if (line.equals("/new")) {
            forget();
            out.println("(forgotten)");
        } else if (line.startsWith("/system")) {
            system =
                    Optional.of(line.substring("/system".length()).strip())
                            .filter(s -> !s.isEmpty());
            forget();
            out.println(system.isPresent() ? "(set)" : "(no system prompt)");
        } else if (line.equals("/history")) {
            messages.forEach(m -> out.println(m.get("role") + ": " + m.get("content")));
        } else if (line.startsWith("/")) {
            out.println(HELP);
        } else if (!line.isEmpty()) {
            messages.add(Map.of("role", "user", "content", line));
            try {
                messages.add(Map.of("role", "assistant", "content", answer(engine, sampling)));
            } catch (PenjingException e) {
                messages.removeLast();
                out.println("(" + e.getMessage() + "; /new starts anew)");
            }
        }
    }

    private Sampling sampling() {
        return new Sampling(
                temperature,
                0,
                topP,
                0,
                1,
                0,
                0,
                Map.of(),
                seed.map(OptionalLong::of).orElse(OptionalLong.empty()));
    }

    private Optional<Constraint> constraint() {
        if (jsonObject && jsonSchema.isPresent()) {
            throw new UsageException("--json-schema and --json-object: give one of them");
        }
        return jsonObject ? Optional.of(Constraint.json()) : jsonSchema.map(ChatCommand::read);
    }

    private static Constraint read(Path file) {
        String text;
        try {
            text = Files.readString(file);
        } catch (IOException e) {
            throw new PenjingException(
                    file + " cannot be read as text: give a file that holds a JSON Schema", e);
        }
        try {
            return Constraint.schema(text);
        } catch (UsageException e) {
            throw new UsageException(file + ": " + e.getMessage());
        }
    }

    private String answer(Engine engine, Sampling sampling) {
        int[] prompt = engine.chat(messages, Map.of());
        StringBuilder text = new StringBuilder();
        Generation generation =
                engine.submit(
                        new Request(
                                prompt,
                                maxNewTokens,
                                sampling,
                                List.of(),
                                Set.of(),
                                false,
                                OptionalInt.empty(),
                                constraint),
                        new Listener() {
                            @Override
                            public void token(int id, String piece, Optional<LogProbabilities> p) {
                                text.append(piece);
                                out.print(piece);
                                out.flush();
                            }

                            @Override
                            public void finished(Finish finish, String rest) {
                                text.append(rest);
                                out.println(rest);
                            }
                        });
        Finish finish = generation.awaitEnd();
        out.printf(
                Locale.ROOT,
                "(%d tokens, %.1f tokens/s, first after %.2f s%s%s)%n",
                finish.newTokens(),
                finish.tokensPerSecond(),
                finish.queueSeconds() + finish.prefillSeconds(),
                finish.proposedTokens() > 0 ? ", " + accepted(finish) : "",
                switch (finish.reason()) {
                    case STOP -> "";
                    case LENGTH -> ", cut off";
                    case CANCELLED -> ", cancelled";
                    case DEAD_END -> ", no token fits";
                    case FAILED -> throw finish.failure();
                });
        return text.toString();
    }

    private static String accepted(Finish finish) {
        return String.format(
                Locale.ROOT,
                "%.0f %% of %d proposals accepted",
                100 * finish.acceptance(),
                finish.proposedTokens());
    }
}
