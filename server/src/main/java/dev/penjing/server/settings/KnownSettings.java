package dev.penjing.server.settings;

import dev.penjing.inference.KernelChoice;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.server.settings.Setting.Choice;
import dev.penjing.server.settings.Setting.Flag;
import dev.penjing.server.settings.Setting.Kind;
import dev.penjing.server.settings.Setting.Text;
import dev.penjing.server.settings.Setting.Texts;
import dev.penjing.server.settings.Setting.Whole;
import java.util.List;
import java.util.Optional;

/// All settings of `serve`, in the order in which they are shown. Times are in seconds, sizes in
/// bytes.
///
/// The variables are those of NVIDIA's NIM for language models where it has one (its
/// environment-variable reference), OpenTelemetry's own for traces, and `PENJING_` and the name
/// otherwise.
final class KnownSettings {
    private static final int MOST = Integer.MAX_VALUE;
    private static final int DAY = 86_400;

    static final List<Setting> ALL =
            List.of(
                    // what is served
                    nim(
                            "model",
                            "NIM_MODEL_PATH",
                            new Text(),
                            "The model: a folder in Hugging Face form, a .gguf file, or hf:org/name."),
                    own("also", new Texts(), "Further models, served beside it."),
                    nim(
                            "served-model-name",
                            "NIM_SERVED_MODEL_NAME",
                            new Texts(),
                            "What clients call the model; the first name is the one in answers."),
                    nim(
                            "max-model-len",
                            "NIM_MAX_MODEL_LEN",
                            new Whole(2, MOST),
                            "The most tokens of prompt and answer together; the model's own context if not set."),
                    own(
                            "quantization",
                            new Choice(WeightFormat.names()),
                            "What the weights are computed in; the file's own, or q8_0, if not set."),
                    nim(
                            "draft-model",
                            "NIM_DRAFT_MODEL_PATH",
                            new Text(),
                            "A much smaller model with the same tokens, which proposes what comes next."),
                    own(
                            "draft-tokens",
                            new Whole(1, 8),
                            "3",
                            "The most that a draft proposes at a time."),
                    own(
                            "threads",
                            new Whole(0, 4096),
                            "0",
                            "Threads of the engine; 0 is one a core."),
                    own(
                            "kernels",
                            new Choice(KernelChoice.names()),
                            KernelChoice.AUTO,
                            "What computes: auto is the fastest that the processor has."),
                    own(
                            "cache-bytes",
                            new Whole(0, Long.MAX_VALUE),
                            "0",
                            "Memory for keys and values; 0 is enough for eight long sequences, within a quarter of the machine's."),
                    own(
                            "max-sequences",
                            new Whole(1, 4096),
                            "64",
                            "Answers that are made at once."),
                    own(
                            "strict-fields",
                            new Flag(),
                            "false",
                            "Refuses requests with fields that this server does not know, instead of naming them in the answer's header."),
                    own(
                            "default-max-tokens",
                            new Whole(1, MOST),
                            "1024",
                            "The longest answer where the request sets no limit."),
                    // where
                    own(
                            "host",
                            new Text(),
                            "127.0.0.1",
                            "The address to listen on; 0.0.0.0 is all."),
                    nim(
                            "port",
                            "NIM_SERVER_PORT",
                            new Whole(0, 65535),
                            "8000",
                            "The port to listen on; 0 is any free one."),
                    nim(
                            "health-port",
                            "NIM_HEALTH_PORT",
                            new Whole(1, 65535),
                            "A second port, for health checks and metrics, without key or TLS."),
                    // who
                    secret(
                            "api-key",
                            "PENJING_API_KEY",
                            "A key that clients must send as a bearer token."),
                    own("api-key-file", new Text(), "A file of such keys, one a line."),
                    nim(
                            "ssl-mode",
                            "NIM_SSL_MODE",
                            new Choice(List.of("off", "tls", "mtls")),
                            "off",
                            "TLS: off, tls, or mtls, where clients must show a certificate too."),
                    nim(
                            "ssl-key-path",
                            "NIM_SSL_KEY_PATH",
                            new Text(),
                            "The server's private key, PEM."),
                    nim(
                            "ssl-certs-path",
                            "NIM_SSL_CERTS_PATH",
                            new Text(),
                            "The server's certificate and those above it, PEM."),
                    nim(
                            "ssl-ca-certs-path",
                            "NIM_SSL_CA_CERTS_PATH",
                            new Text(),
                            "The certificates that sign clients' ones, PEM."),
                    nim(
                            "cors-allow-origins",
                            "NIM_CORS_ALLOW_ORIGINS",
                            new Texts(),
                            "Web pages' origins that may call from a browser, or *; none if not set."),
                    nim(
                            "cors-allow-methods",
                            "NIM_CORS_ALLOW_METHODS",
                            new Texts(),
                            "GET,POST,DELETE,OPTIONS",
                            "Methods that they may use."),
                    nim(
                            "cors-allow-headers",
                            "NIM_CORS_ALLOW_HEADERS",
                            new Texts(),
                            "*",
                            "Headers that they may send; * is all that they ask for."),
                    nim(
                            "cors-expose-headers",
                            "NIM_CORS_EXPOSE_HEADERS",
                            new Texts(),
                            "X-Request-Id,Retry-After",
                            "Headers that they may read."),
                    nim(
                            "cors-max-age",
                            "NIM_CORS_MAX_AGE",
                            new Whole(0, DAY),
                            "600",
                            "How long a browser may remember the above."),
                    // how much, how long
                    own(
                            "max-queued-requests",
                            new Whole(0, 1_000_000),
                            "256",
                            "Requests that may wait; one more is refused with 429."),
                    own(
                            "max-queued-tokens",
                            new Whole(1, MOST),
                            "65536",
                            "Prompt tokens that may wait, of all requests; more are refused with 429."),
                    own(
                            "max-body-bytes",
                            new Whole(1024, 1L << 30),
                            "4194304",
                            "The largest request body."),
                    own(
                            "header-timeout",
                            new Whole(1, DAY),
                            "10",
                            "For a client to send a request's headers."),
                    own(
                            "body-timeout",
                            new Whole(1, DAY),
                            "30",
                            "For a client to send a request's body."),
                    own(
                            "write-timeout",
                            new Whole(1, DAY),
                            "30",
                            "For a client to read what was sent."),
                    own(
                            "request-timeout",
                            new Whole(1, DAY),
                            "590",
                            "For a whole answer; clients of OpenAI's give up after 600."),
                    own(
                            "ping-interval",
                            new Whole(1, DAY),
                            "15",
                            "Between comments that keep a silent stream open."),
                    own(
                            "shutdown-timeout",
                            new Whole(0, DAY),
                            "30",
                            "For running answers to end once the server is told to."),
                    // what is told
                    nim(
                            "log-level",
                            "NIM_LOG_LEVEL",
                            new Choice(List.of("debug", "info", "warning", "error", "critical")),
                            "info",
                            "The least serious lines that are logged."),
                    nim(
                            "jsonl-logging",
                            "NIM_JSONL_LOGGING",
                            new Flag(),
                            "false",
                            "Logs one JSON object a line."),
                    own("log-prompts", new Flag(), "false", "Logs what is asked and answered too."),
                    nim(
                            "enable-otel",
                            "NIM_ENABLE_OTEL",
                            new Flag(),
                            "Traces to otel-endpoint; on if that is set."),
                    setting(
                            "otel-endpoint",
                            List.of(
                                    "NIM_OTEL_EXPORTER_OTLP_ENDPOINT",
                                    "OTEL_EXPORTER_OTLP_ENDPOINT"),
                            new Text(),
                            Optional.empty(),
                            "Where traces go, by OTLP over HTTP, such as http://localhost:4318.",
                            false),
                    setting(
                            "otel-service-name",
                            List.of("NIM_OTEL_SERVICE_NAME", "OTEL_SERVICE_NAME"),
                            new Text(),
                            Optional.of("penjing"),
                            "What the server is called in traces.",
                            false),
                    setting(
                            "otel-headers",
                            List.of("OTEL_EXPORTER_OTLP_HEADERS"),
                            new Texts(),
                            Optional.empty(),
                            "Headers that go with traces, as name=value between commas.",
                            true));

    private KnownSettings() {}

    private static Setting setting(
            String name,
            List<String> environment,
            Kind kind,
            Optional<String> initial,
            String help,
            boolean secret) {
        return new Setting(name, environment, kind, initial, help, secret);
    }

    private static Setting nim(String name, String variable, Kind kind, String help) {
        return setting(name, List.of(variable), kind, Optional.empty(), help, false);
    }

    private static Setting nim(
            String name, String variable, Kind kind, String initial, String help) {
        return setting(name, List.of(variable), kind, Optional.of(initial), help, false);
    }

    private static Setting own(String name, Kind kind, String help) {
        return setting(name, List.of(variable(name)), kind, Optional.empty(), help, false);
    }

    private static Setting own(String name, Kind kind, String initial, String help) {
        return setting(name, List.of(variable(name)), kind, Optional.of(initial), help, false);
    }

    private static Setting secret(String name, String variable, String help) {
        return setting(name, List.of(variable), new Text(), Optional.empty(), help, true);
    }

    private static String variable(String name) {
        return "PENJING_" + name.toUpperCase(java.util.Locale.ROOT).replace('-', '_');
    }
}
