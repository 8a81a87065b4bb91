package dev.penjing.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.server.PenjingServer;
import dev.penjing.server.ServerOptions;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The server under load, beside its own engine with the same work: clients that ask for streamed
/// answers of 20 to 100 tokens, each again as soon as it was answered. Before and after, the engine
/// answers the same without HTTP.
///
/// Usage: `bench/run serving MODEL [--clients 64] [--seconds 300] [--engine-seconds 30] [--threads
/// 0] [--seed 1] [--json]`. Server and clients are one process: its memory and share of the
/// processor are those of both.
final class ServingBench {
    private static final List<String> OPTIONS =
            List.of("--clients", "--seconds", "--engine-seconds", "--threads", "--seed");
    private static final int REQUESTS = 100;
    private static final double WARM_UP = 3;

    private final ObjectNode result = JsonMapper.builder().build().createObjectNode();
    private final Path model;
    private final int clients;
    private final double seconds;
    private final double engineSeconds;
    private final int threads;
    private final long seed;

    private ServingBench(Path model, Map<String, String> options) {
        this.model = model;
        this.clients = Integer.parseInt(options.getOrDefault("--clients", "64"));
        this.seconds = Double.parseDouble(options.getOrDefault("--seconds", "300"));
        this.engineSeconds = Double.parseDouble(options.getOrDefault("--engine-seconds", "30"));
        this.threads = Integer.parseInt(options.getOrDefault("--threads", "0"));
        this.seed = Long.parseLong(options.getOrDefault("--seed", "1"));
    }

    public static void main(String[] args) {
        List<String> words = new ArrayList<>(List.of(args));
        boolean json = words.remove("--json");
        Map<String, String> options = new HashMap<>();
        for (int i = 1; i < words.size(); i += 2) {
            if (!OPTIONS.contains(words.get(i)) || i + 1 == words.size()) {
                usage();
            }
            options.put(words.get(i), words.get(i + 1));
        }
        if (words.isEmpty()) {
            usage();
        }
        try {
            ServingBench bench = new ServingBench(Path.of(words.getFirst()), options);
            bench.run();
            System.out.println(json ? bench.result.toPrettyString() : bench.table());
        } catch (NumberFormatException e) {
            usage();
        } catch (PenjingException | IOException e) {
            System.err.println("penjing: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void usage() {
        System.err.println(
                "usage: bench/run serving MODEL [--json], with a value for any of " + OPTIONS);
        System.exit(2);
    }

    /// Room for all clients at once, which an engine for few would not have.
    private EngineOptions engineOptions() {
        EngineOptions options = EngineOptions.DEFAULT.withThreads(threads);
        try (Engine engine = Engine.load(model, options.withRoom(1 << 24, 0, 1), Progress.NONE)) {
            long bytes = engine.config().kvBytesPerToken(2) * Asking.ROOM * clients;
            return options.withRoom(2 * bytes, 0, clients);
        }
    }

    private void run() throws IOException {
        List<List<Asking>> work =
                IntStream.range(0, clients).mapToObj(i -> Asking.of(seed, i, REQUESTS)).toList();
        ServedModels models =
                new ServedModels(
                        List.of(new ServedModel("model", model, engineOptions())),
                        new Admission(2 * clients, 1 << 20),
                        Progress.NONE,
                        System.err::println);
        models.awaitLoaded();
        try (PenjingServer server = PenjingServer.start(options(), models)) {
            BareEngine bare = new BareEngine(models.get("model").engine(), work);
            result.put("model", model.toString()).put("clients", clients);
            result.put("cores", Runtime.getRuntime().availableProcessors());
            say("the engine alone, for %.0f s".formatted(engineSeconds));
            Usage begin = Usage.now();
            double before = bare.rate(WARM_UP, engineSeconds);
            alone(begin, before);
            say("%,.0f tokens/s; %d clients, for %.0f s".formatted(before, clients, seconds));
            double served = serve(server.port(), work);
            say("%,.0f tokens/s; the engine alone once more".formatted(served));
            double after = bare.rate(WARM_UP, engineSeconds);
            result.put("engine_tokens_per_s_before", before);
            result.put("engine_tokens_per_s_after", after);
            result.put("ratio", served / ((before + after) / 2));
        }
    }

    /// The warm-up's share of time is counted at the same rate.
    private void alone(Usage begin, double rate) {
        Usage end = Usage.now();
        double tokens = rate * (end.nanos() - begin.nanos()) / 1e9;
        result.put("engine_cpu_seconds_per_token", (end.cpu() - begin.cpu()) / 1e9 / tokens);
    }

    private ServerOptions options() {
        ServerOptions like = ServerOptions.DEFAULT;
        return new ServerOptions(
                like.host(),
                0,
                like.healthPort(),
                like.keys(),
                like.cors(),
                like.tls(),
                like.limits(),
                like.defaultMaxTokens(),
                like.request(),
                Duration.ZERO,
                clients,
                like.log(),
                like.logPrompts(),
                like.tracing(),
                like.examples());
    }

    private static void say(String what) {
        System.err.println("serving: " + what);
    }

    /// Tokens a second that came to clients.
    private double serve(int port, List<List<Asking>> work) throws IOException {
        try (LoadClients all = new LoadClients(port, "model", work)) {
            all.run(WARM_UP, now -> {});
            all.clear();
            Usage start = Usage.now();
            Third third = new Third(start.nanos() + (long) (seconds / 3 * 1e9));
            all.run(seconds, third);
            Usage end = Usage.now();
            double wall = (end.nanos() - start.nanos()) / 1e9;
            double rate = all.tokens() / wall;
            result.put("seconds", wall).put("requests", all.requests);
            result.put("tokens", (long) all.tokens()).put("tokens_per_s", rate);
            ObjectNode errors = result.putObject("errors");
            all.errors.forEach(errors::put);
            quantiles("time_to_first_token", all.first);
            quantiles("time_between_tokens", all.between);
            fairness(all.shares());
            result.putObject("rss_bytes")
                    .put("start", start.resident())
                    .put("third", third.resident)
                    .put("end", end.resident());
            double busy = (end.cpu() - start.cpu()) / 1e9;
            result.put("cpu_share", busy / wall / Runtime.getRuntime().availableProcessors());
            result.put("cpu_seconds_per_token", busy / all.tokens());
            return rate;
        }
    }

    private void quantiles(String name, Durations durations) {
        result.putObject(name)
                .put("median", durations.quantile(0.5))
                .put("p90", durations.quantile(0.9))
                .put("p99", durations.quantile(0.99));
    }

    private void fairness(double[] tokens) {
        double mean = Arrays.stream(tokens).average().orElse(0);
        double square = Arrays.stream(tokens).map(t -> (t - mean) * (t - mean)).average().orElse(0);
        result.putObject("tokens_per_client")
                .put("min", (long) Arrays.stream(tokens).min().orElse(0))
                .put("mean", (long) mean)
                .put("max", (long) Arrays.stream(tokens).max().orElse(0))
                .put("relative_deviation", Math.sqrt(square) / mean);
    }

    /// Notes the memory once a moment has passed.
    private static final class Third implements Consumer<Long> {
        private final long moment;
        private long resident;

        Third(long moment) {
            this.moment = moment;
        }

        @Override
        public void accept(Long now) {
            if (resident == 0 && now > moment) {
                resident = Usage.now().resident();
            }
        }
    }

    /// What the process has taken so far.
    ///
    /// @param cpu nanoseconds
    /// @param resident bytes of memory; 0 where the system does not tell
    private record Usage(long nanos, long cpu, long resident) {
        private static final OperatingSystemMXBean SYSTEM =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        private static final Path STATUS = Path.of("/proc/self/status");

        static Usage now() {
            return new Usage(System.nanoTime(), SYSTEM.getProcessCpuTime(), memory());
        }

        private static long memory() {
            if (!Files.exists(STATUS)) {
                return 0;
            }
            try {
                return Files.readAllLines(STATUS).stream()
                        .filter(line -> line.startsWith("VmRSS:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                        .sum();
            } catch (IOException e) {
                return 0;
            }
        }
    }

    private String table() {
        StringBuilder text = new StringBuilder();
        text.append("| measure | value |\n| --- | --- |\n");
        row(text, "requests", "%,d", result.path("requests").asLong());
        row(text, "errors", "%s", result.path("errors").isEmpty() ? "none" : result.path("errors"));
        row(text, "tokens/s", "%,.1f", number("/tokens_per_s"));
        row(text, "the engine alone, before", "%,.1f", number("/engine_tokens_per_s_before"));
        row(text, "the engine alone, after", "%,.1f", number("/engine_tokens_per_s_after"));
        row(text, "ratio", "%.3f", number("/ratio"));
        times(text, "time to the first token", "/time_to_first_token");
        times(text, "time between tokens", "/time_between_tokens");
        row(
                text,
                "tokens per client, least, most, relative deviation",
                "%,.0f, %,.0f, %.3f",
                number("/tokens_per_client/min"),
                number("/tokens_per_client/max"),
                number("/tokens_per_client/relative_deviation"));
        row(
                text,
                "resident memory at the start, after a third, at the end",
                "%.1f, %.1f, %.1f MB",
                number("/rss_bytes/start") / 1e6,
                number("/rss_bytes/third") / 1e6,
                number("/rss_bytes/end") / 1e6);
        row(text, "share of all cores", "%.2f", number("/cpu_share"));
        row(
                text,
                "processor time a token, and of the engine alone",
                "%.1f, %.1f us",
                number("/cpu_seconds_per_token") * 1e6,
                number("/engine_cpu_seconds_per_token") * 1e6);
        return text.toString();
    }

    private double number(String pointer) {
        return result.at(pointer).asDouble();
    }

    private void times(StringBuilder text, String name, String pointer) {
        row(
                text,
                name + ", median, p90, p99",
                "%.1f, %.1f, %.1f ms",
                number(pointer + "/median") * 1e3,
                number(pointer + "/p90") * 1e3,
                number(pointer + "/p99") * 1e3);
    }

    private static void row(StringBuilder text, String name, String format, Object... values) {
        text.append("| %s | %s |\n".formatted(name, String.format(Locale.ROOT, format, values)));
    }
}
