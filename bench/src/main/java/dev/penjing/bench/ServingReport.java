package dev.penjing.bench;

import java.util.Locale;
import java.util.StringJoiner;
import tools.jackson.databind.JsonNode;

/// What a load test found, as tables.
final class ServingReport {
    private final JsonNode result;
    private final StringBuilder text = new StringBuilder();

    private ServingReport(JsonNode result) {
        this.result = result;
    }

    static String of(JsonNode result) {
        ServingReport report = new ServingReport(result);
        report.own();
        if (result.has("peer")) {
            report.beside();
        }
        return report.text.toString();
    }

    private void own() {
        text.append("| measure | value |\n| --- | --- |\n");
        row("requests", "%,d", result.path("requests").asLong());
        row("errors", "%s", errors(result));
        row("tokens/s", "%,.1f", number("/tokens_per_s"));
        row("the engine alone, before, between and after", "%s", rates());
        row("ratio", "%.3f", number("/ratio"));
        times("time to the first token", "/time_to_first_token");
        times("time between tokens", "/time_between_tokens");
        row(
                "tokens per client, least, most, relative deviation",
                "%,.0f, %,.0f, %.3f",
                number("/tokens_per_client/min"),
                number("/tokens_per_client/max"),
                number("/tokens_per_client/relative_deviation"));
        row(
                "resident memory at the start, after a third, at the end",
                "%.1f, %.1f, %.1f MB",
                number("/rss_bytes/start") / 1e6,
                number("/rss_bytes/third") / 1e6,
                number("/rss_bytes/end") / 1e6);
        row("share of all cores", "%.2f", number("/cpu_share"));
        row(
                "processor time a token, and of the engine alone",
                "%.1f, %.1f us",
                number("/cpu_seconds_per_token") * 1e6,
                number("/engine_cpu_seconds_per_token") * 1e6);
    }

    private void beside() {
        text.append(
                "\n| under the same load | ours | %s | ours / peer |\n| --- | --- | --- | --- |\n"
                        .formatted(result.at("/peer/url").asString()));
        compare("requests/s", "/requests_per_s", 1);
        compare("tokens/s", "/tokens_per_s", 1);
        compare("time to the first token, median, ms", "/time_to_first_token/median", 1e3);
        compare("time to the first token, p99, ms", "/time_to_first_token/p99", 1e3);
        compare("time between tokens, median, ms", "/time_between_tokens/median", 1e3);
        compare("time between tokens, p99, ms", "/time_between_tokens/p99", 1e3);
        text.append(
                "| errors | %s | %s | |\n".formatted(errors(result), errors(result.path("peer"))));
    }

    private String rates() {
        StringJoiner rates = new StringJoiner(", ");
        result.path("engine_tokens_per_s")
                .forEach(r -> rates.add(String.format(Locale.ROOT, "%,.0f", r.asDouble())));
        return rates.toString();
    }

    private static String errors(JsonNode of) {
        JsonNode errors = of.path("errors");
        return errors.isEmpty() ? "none" : errors.toString();
    }

    private void compare(String name, String pointer, double unit) {
        double ours = number(pointer) * unit;
        double theirs = number("/peer" + pointer) * unit;
        text.append(
                String.format(
                        Locale.ROOT,
                        "| %s | %,.1f | %,.1f | %s |\n",
                        name,
                        ours,
                        theirs,
                        ours > 0 && theirs > 0
                                ? String.format(Locale.ROOT, "%.2f", ours / theirs)
                                : "none"));
    }

    private double number(String pointer) {
        return result.at(pointer).asDouble();
    }

    private void times(String name, String pointer) {
        row(
                name + ", median, p90, p99",
                "%.1f, %.1f, %.1f ms",
                number(pointer + "/median") * 1e3,
                number(pointer + "/p90") * 1e3,
                number(pointer + "/p99") * 1e3);
    }

    private void row(String name, String format, Object... values) {
        text.append("| %s | %s |\n".formatted(name, String.format(Locale.ROOT, format, values)));
    }
}
