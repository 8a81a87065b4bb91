package dev.penjing.compression.run;

import dev.penjing.compression.importance.Importance;
import dev.penjing.compression.importance.ImportanceFile;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `report.html`: one file, no script, no network, that shows what a run did.
final class Report {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final List<String> MODELS = List.of("teacher", "pruned", "distilled");

    private Report() {}

    static void write(
            Compression.Request request,
            ModelConfig teacher,
            Path importanceFile,
            Path distillation,
            ObjectNode result) {
        Importance importance = ImportanceFile.read(importanceFile, teacher);
        ModelConfig student =
                ModelConfig.read(request.run().resolve("distilled").resolve("config.json"));
        StringBuilder page = new StringBuilder(template("head.html"));
        page.append("<h1>").append(escape(request.teacher().getFileName().toString()));
        page.append(" <small>and what became of it</small></h1>");
        headline(page, result);
        summary(page, result);
        tasks(page, result);
        curves(page, distillation, result);
        shapes(page, teacher, student);
        importance(page, importance, teacher, student);
        page.append("<h2>How it was made</h2><pre>");
        page.append(escape(result.path("command").asString(""))).append("</pre><p class='note'>");
        page.append(escape(result.path("compute").asString(""))).append(". Time of a step: ");
        page.append(escape(result.path("phases").asString(""))).append(".</p></main></html>\n");
        AtomicFile.write(request.run().resolve("report.html"), page.toString());
    }

    private static void headline(StringBuilder page, ObjectNode result) {
        double teacher = bits(result, "teacher");
        double pruned = bits(result, "pruned");
        double distilled = bits(result, "distilled");
        double kept =
                result.path("distilled").path("non_embedding_parameters").asDouble()
                        / result.path("teacher").path("non_embedding_parameters").asDouble();
        page.append("<div class='cards'>");
        card(page, "%.0f %%".formatted(100 * kept), "of the parameters, embeddings apart");
        card(
                page,
                "%.0f %%".formatted(100 * (pruned - distilled) / (pruned - teacher)),
                "of the damage healed, in bits per byte");
        card(
                page,
                Svg.count(result.path("tokens").asDouble()),
                "tokens of distillation, "
                        + Svg.count(result.path("floating_point_operations").asDouble())
                        + " floating-point operations");
        page.append("</div>");
    }

    private static double bits(ObjectNode result, String model) {
        return result.path(model).path("bits_per_byte").asDouble();
    }

    private static void card(StringBuilder page, String figure, String meaning) {
        page.append("<div class='card'><b>").append(figure).append("</b><span>");
        page.append(meaning).append("</span></div>");
    }

    private static void summary(StringBuilder page, ObjectNode result) {
        page.append(
                "<h2>What was kept</h2><table><tr><th></th><th>parameters</th>"
                        + "<th>not embedding</th><th>bytes (bf16)</th><th>perplexity</th>"
                        + "<th>bits per byte</th><th>tokens/s</th></tr>");
        for (String name : MODELS) {
            JsonNode m = result.path(name);
            page.append(
                    format(
                            "<tr><th class='%s'>%s</th><td>%,d</td><td>%,d</td><td>%,d</td>"
                                    + "<td>%.3f</td><td>%.4f</td><td>%,.0f</td></tr>",
                            name,
                            name,
                            m.path("parameters").asLong(),
                            m.path("non_embedding_parameters").asLong(),
                            m.path("bytes").asLong(),
                            m.path("perplexity").asDouble(),
                            m.path("bits_per_byte").asDouble(),
                            m.path("tokens_per_s").asDouble()));
        }
        page.append("</table>");
    }

    private static void tasks(StringBuilder page, ObjectNode result) {
        JsonNode teacher = result.path("teacher").path("tasks");
        if (teacher.isEmpty()) {
            return;
        }
        page.append(
                "<h2>Tasks</h2><p>Scores in percent, a standard error behind each; kept is the"
                        + " student's share of the teacher's.</p><table class='tasks'><tr><th></th>"
                        + "<th>chance</th><th>teacher</th><th>pruned</th><th>distilled</th>"
                        + "<th>kept</th></tr>");
        for (Map.Entry<String, JsonNode> task : teacher.properties()) {
            String name = task.getKey();
            page.append(
                    format(
                            "<tr><th>%s</th><td>%.1f</td>",
                            escape(name.replace('_', ' ')),
                            100 * result.path("chance").path(name).asDouble(0)));
            for (String model : MODELS) {
                double score = result.path(model).path("tasks").path(name).asDouble();
                double error = result.path(model).path("task_errors").path(name).asDouble(0);
                page.append(
                        format(
                                "<td><span class='bar %s' style='width:%.1f%%'></span>%.1f"
                                        + " <small>± %.1f</small></td>",
                                model, 100 * score, 100 * score, 100 * error));
            }
            double before = task.getValue().asDouble();
            double after = result.path("distilled").path("tasks").path(name).asDouble();
            page.append(
                    before > 0
                            ? format("<td>%.0f %%</td></tr>", 100 * after / before)
                            : "<td>-</td></tr>");
        }
        page.append("</table>");
    }

    private static void curves(StringBuilder page, Path distillation, ObjectNode result) {
        List<double[]> held = new ArrayList<>();
        List<double[]> loss = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(distillation.resolve("metrics.jsonl"))) {
                JsonNode m = JSON.readTree(line);
                double tokens = m.path("tokens").asDouble();
                if (m.has("held_out")) {
                    held.add(
                            new double[] {
                                tokens, m.path("held_out").path("bits_per_byte").asDouble()
                            });
                } else {
                    loss.add(new double[] {tokens, Math.log10(m.path("loss").asDouble())});
                }
            }
        } catch (IOException e) {
            throw new PenjingException("cannot read the metrics: " + e.getMessage(), e);
        }
        if (held.isEmpty() || loss.isEmpty()) {
            return;
        }
        page.append("<h2>Healing</h2><div class='pair'><figure>");
        page.append(
                Svg.lines(
                        "training tokens",
                        "bits per byte, held out",
                        List.of(line("student", "distilled", held)),
                        List.of(level("teacher", bits(result, "teacher")))));
        page.append("</figure><figure>");
        page.append(
                Svg.lines(
                        "training tokens",
                        "log10 of the divergence from the teacher (nats)",
                        List.of(line("training loss", "pruned", loss)),
                        List.of()));
        page.append("</figure></div>");
    }

    private static Svg.Line line(String label, String css, List<double[]> points) {
        return new Svg.Line(
                label,
                css,
                points.stream().mapToDouble(p -> p[0]).toArray(),
                points.stream().mapToDouble(p -> p[1]).toArray());
    }

    private static Svg.Line level(String label, double value) {
        return new Svg.Line(label, label, new double[] {0}, new double[] {value});
    }

    private static void shapes(StringBuilder page, ModelConfig teacher, ModelConfig student) {
        page.append("<h2>Shape</h2><table><tr><th></th><th>teacher</th><th>student</th></tr>");
        for (Axis axis : Axis.values()) {
            String name = axis.key().replace('_', ' ');
            row(page, name, teacher.shape().get(axis), student.shape().get(axis));
        }
        page.append("</table>");
    }

    private static void row(StringBuilder page, String name, int before, int after) {
        page.append(
                format(
                        "<tr><th>%s</th><td><span class='bar teacher' style='width:90%%'></span>%,d</td>"
                                + "<td><span class='bar distilled' style='width:%.1f%%'></span>%,d</td></tr>",
                        name, before, 90.0 * after / before, after));
    }

    private static void importance(
            StringBuilder page, Importance importance, ModelConfig teacher, ModelConfig student) {
        page.append(
                "<h2>Importance</h2><p>Every part of the teacher by how much it matters, the most"
                        + " important first; what lies right of the line was cut.</p>"
                        + "<div class='grid3'><figure>");
        for (Axis axis : Importance.AXES) {
            if (!axis.perLayer()) {
                figure(page, importance, axis, 0, teacher, student);
            }
        }
        for (int layer = 0; layer < teacher.numHiddenLayers(); layer++) {
            for (Axis axis : Importance.AXES) {
                if (axis.perLayer()) {
                    figure(page, importance, axis, layer, teacher, student);
                }
            }
        }
        page.append("</div>");
    }

    private static void figure(
            StringBuilder page,
            Importance importance,
            Axis axis,
            int layer,
            ModelConfig teacher,
            ModelConfig student) {
        String whose = axis.perLayer() ? "layer " + (layer + 1) + " " : "";
        page.append("<figure>")
                .append(
                        Svg.sorted(
                                importance.scores(axis, layer, teacher),
                                student.shape().get(axis),
                                whose + axis.parts()))
                .append("</figure>");
    }

    private static String template(String name) {
        try (InputStream in = Report.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the build left out " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new PenjingException("cannot read " + name, e);
        }
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
