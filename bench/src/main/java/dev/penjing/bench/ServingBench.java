package dev.penjing.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.server.PenjingServer;
import dev.penjing.server.ServerOptions;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The server under load, beside its own engine with the same work: clients that ask for streamed
/// answers of 20 to 100 tokens, each again as soon as it was answered. Before, between and after
/// the rounds that share the seconds, the engine answers the same without HTTP: in turn, since
/// other tenants of a machine may make it slower for minutes.
///
/// Usage: `bench/run serving MODEL [--clients 64] [--seconds 300] [--engine-seconds 15] [--threads
/// 0] [--seed 1] [--peer http://127.0.0.1:8080] [--rounds 6] [--warm-up 3] [--json]`. Server and
/// clients are one process: its memory and share of the processor are those of both. A warm-up is
/// before each measurement and does not count; the first takes half a minute, for the compiler.
///
/// A peer is any other server of the same model with OpenAI's interface that runs on this machine.
/// It gets the same load from the same clients, in each round after ours, for as long. Whoever has
/// no turn has nothing to do.
final class ServingBench {
    private static final List<String> OPTIONS =
            List.of(
                    "--clients",
                    "--seconds",
                    "--engine-seconds",
                    "--threads",
                    "--seed",
                    "--peer",
                    "--rounds",
                    "--warm-up");
    private static final int REQUESTS = 100;

    /// Seconds.
    private static final double COMPILING = 30;

    private final ObjectNode result = JsonMapper.builder().build().createObjectNode();
    private final Path model;
    private final int clients;
    private final double seconds;
    private final double engineSeconds;
    private final int threads;
    private final long seed;
    private final Optional<String> peer;
    private final int rounds;
    private final double warmUp;

    private ServingBench(Path model, Map<String, String> options) {
        this.model = model;
        this.clients = Integer.parseInt(options.getOrDefault("--clients", "64"));
        this.seconds = Double.parseDouble(options.getOrDefault("--seconds", "300"));
        this.engineSeconds = Double.parseDouble(options.getOrDefault("--engine-seconds", "15"));
        this.threads = Integer.parseInt(options.getOrDefault("--threads", "0"));
        this.seed = Long.parseLong(options.getOrDefault("--seed", "1"));
        this.peer = Optional.ofNullable(options.get("--peer"));
        String turns = options.getOrDefault("--rounds", "6");
        this.warmUp = Double.parseDouble(options.getOrDefault("--warm-up", "3"));
        this.rounds = Math.max(1, Integer.parseInt(turns));
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
            System.out.println(
                    json ? bench.result.toPrettyString() : ServingReport.of(bench.result));
        } catch (NumberFormatException e) {
            usage();
        } catch (UsageException e) {
            System.err.println("penjing: " + e.getMessage());
            System.exit(2);
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
            long bytes = engine.config().kvBytesPerToken(2) * LoadRequest.ROOM * clients;
            return options.withRoom(2 * bytes, 0, clients);
        }
    }

    private void run() throws IOException {
        Optional<PeerServer> other = peer.map(PeerServer::at);
        List<List<LoadRequest>> work =
                IntStream.range(0, clients)
                        .mapToObj(i -> LoadRequest.of(seed, i, REQUESTS))
                        .toList();
        ServedModels models =
                new ServedModels(
                        List.of(new ServedModel("model", model, engineOptions())),
                        new Admission(2 * clients, 1 << 20),
                        Progress.NONE,
                        (line, failure) -> System.err.println(line));
        models.awaitLoaded();
        try (PenjingServer server = PenjingServer.start(options(), models)) {
            BareEngine bare = new BareEngine(models.get("model").engine(), work);
            result.put("model", model.toString()).put("clients", clients);
            result.put("cores", Runtime.getRuntime().availableProcessors());
            say(
                    "%d clients for %.0f s, and the engine alone, in turn; first half a minute for the compiler"
                            .formatted(clients, seconds));
            bare.rate(COMPILING, 0);
            Alone alone = new Alone(bare);
            alone.measure();
            InetSocketAddress own =
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
            double served = serve(own, other, work, alone);
            alone.rates.forEach(result.putArray("engine_tokens_per_s")::add);
            result.put("engine_cpu_seconds_per_token", alone.cpu / alone.tokens);
            result.put("ratio", served / alone.mean());
        }
    }

    /// The engine without HTTP.
    private final class Alone {
        private final BareEngine bare;
        private final List<Double> rates = new ArrayList<>();

        /// Seconds, and tokens made in them, those of warm-ups taken to come at the same rate.
        private double cpu;

        private double tokens;

        Alone(BareEngine bare) {
            this.bare = bare;
        }

        void measure() {
            Usage begin = Usage.now();
            double rate = bare.rate(warmUp, engineSeconds);
            Usage end = Usage.now();
            rates.add(rate);
            cpu += (end.cpu() - begin.cpu()) / 1e9;
            tokens += rate * (end.nanos() - begin.nanos()) / 1e9;
            say("the engine alone: %,.0f tokens/s".formatted(rate));
        }

        /// During the rounds, each between two measurements.
        double mean() {
            double inner = rates.stream().mapToDouble(r -> r).sum();
            return (inner - (rates.getFirst() + rates.getLast()) / 2) / (rates.size() - 1);
        }
    }

    private ServerOptions options() {
        return ServerOptions.DEFAULT.with(
                o -> o.port(0).shutdown(Duration.ZERO).maxSequences(clients));
    }

    private static void say(String what) {
        System.err.println("serving: " + what);
    }

    /// Tokens a second that came to clients of our own server.
    private double serve(
            InetSocketAddress own,
            Optional<PeerServer> other,
            List<List<LoadRequest>> work,
            Alone alone)
            throws IOException {
        try (LoadClients ours = new LoadClients(own, "model", work)) {
            if (other.isEmpty()) {
                Spent spent = rounds(ours, () -> {}, alone);
                return tell(ours.counts, spent);
            }
            PeerServer peer = other.get();
            try (LoadClients theirs = new LoadClients(peer.address(), peer.model(), work)) {
                Runnable turn = () -> theirs.round(warmUp, seconds / rounds, () -> {}, now -> {});
                Spent spent = rounds(ours, turn, alone);
                ObjectNode told = result.putObject("peer");
                told.put("url", this.peer.orElse("")).put("model", peer.model());
                theirs.counts.writeTo(told);
                return tell(ours.counts, spent);
            }
        }
    }

    private Spent rounds(LoadClients ours, Runnable others, Alone alone) {
        Spent spent = new Spent();
        for (int i = 0; i < rounds; i++) {
            ours.round(warmUp, seconds / rounds, spent::begin, spent);
            spent.end();
            alone.measure();
            others.run();
        }
        return spent;
    }

    private double tell(LoadCounts counts, Spent spent) {
        counts.writeTo(result);
        fairness(counts.shares());
        result.putObject("rss_bytes")
                .put("start", spent.start)
                .put("third", spent.third)
                .put("end", spent.end);
        double cores = Runtime.getRuntime().availableProcessors();
        result.put("cpu_share", spent.cpu / 1e9 / counts.seconds() / cores);
        result.put("cpu_seconds_per_token", spent.cpu / 1e9 / counts.tokens());
        return counts.tokensPerSecond();
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

    /// What our own rounds took of the machine.
    private final class Spent implements LongConsumer {
        private Usage begin = Usage.now();
        private long nanos;
        private long cpu;
        private long start;
        private long third;
        private long end;

        void begin() {
            begin = Usage.now();
            start = start == 0 ? begin.resident() : start;
        }

        /// Notes the memory once a third of the time has passed.
        @Override
        public void accept(long now) {
            if (third == 0 && nanos + now - begin.nanos() > seconds / 3 * 1e9) {
                third = Usage.now().resident();
            }
        }

        void end() {
            Usage now = Usage.now();
            nanos += now.nanos() - begin.nanos();
            cpu += now.cpu() - begin.cpu();
            end = now.resident();
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
}
