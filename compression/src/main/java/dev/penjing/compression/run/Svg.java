package dev.penjing.compression.run;

import java.util.List;
import java.util.Locale;

/// Small pictures as SVG text, drawn in the colours that the page's style defines.
final class Svg {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 260;
    private static final int LEFT = 56;
    private static final int BOTTOM = 34;
    private static final int TOP = 14;
    private static final int RIGHT = 14;

    private Svg() {}

    /// @param x ascending
    record Line(String label, String cssClass, double[] x, double[] y) {}

    /// Lines over a common axis, with dashed horizontal `levels`.
    static String lines(String xTitle, String yTitle, List<Line> lines, List<Line> levels) {
        double xMax = 1e-9;
        double yMin = Double.MAX_VALUE;
        double yMax = -Double.MAX_VALUE;
        for (Line line : concat(lines, levels)) {
            for (int i = 0; i < line.y().length; i++) {
                xMax = Math.max(xMax, line.x().length > i ? line.x()[i] : 0);
                yMin = Math.min(yMin, line.y()[i]);
                yMax = Math.max(yMax, line.y()[i]);
            }
        }
        double pad = Math.max(1e-6, (yMax - yMin) * 0.08);
        Axes axes = new Axes(xMax, yMin - pad, yMax + pad);
        StringBuilder svg = open(xTitle, yTitle);
        axes.draw(svg);
        for (Line level : levels) {
            double y = axes.y(level.y()[0]);
            svg.append(
                    f(
                            "<line class='%s dash' x1='%d' x2='%d' y1='%.1f' y2='%.1f'/>"
                                    + "<text class='note %s' x='%d' y='%.1f' text-anchor='end'>%s</text>",
                            level.cssClass(),
                            LEFT,
                            WIDTH - RIGHT,
                            y,
                            y,
                            level.cssClass(),
                            WIDTH - RIGHT - 4,
                            y - 4,
                            level.label()));
        }
        for (Line line : lines) {
            StringBuilder points = new StringBuilder();
            for (int i = 0; i < line.x().length; i++) {
                points.append(f("%.1f,%.1f ", axes.x(line.x()[i]), axes.y(line.y()[i])));
            }
            svg.append(f("<polyline class='%s' points='%s'/>", line.cssClass(), points));
            int last = line.x().length - 1;
            svg.append(
                    f(
                            "<text class='note %s' x='%.1f' y='%.1f' text-anchor='end'>%s</text>",
                            line.cssClass(),
                            axes.x(line.x()[last]) - 4,
                            axes.y(line.y()[last]) - 6,
                            line.label()));
        }
        return svg.append("</svg>").toString();
    }

    /// Scores in falling order as bars, with a vertical line where the cut falls.
    static String sorted(double[] scores, int kept, String title) {
        double[] sorted = scores.clone();
        java.util.Arrays.sort(sorted);
        double top = Math.max(1e-12, sorted[sorted.length - 1]);
        int width = 300;
        int height = 90;
        StringBuilder svg =
                new StringBuilder(
                        f(
                                "<svg viewBox='0 0 %d %d' role='img' aria-label='%s'>",
                                width, height + 18, title));
        double step = (double) width / sorted.length;
        StringBuilder keptPath = new StringBuilder("M0 " + height);
        StringBuilder cutPath = new StringBuilder();
        for (int i = 0; i < sorted.length; i++) {
            double y = height - height * sorted[sorted.length - 1 - i] / top;
            StringBuilder path = i < kept ? keptPath : cutPath;
            if (i == kept) {
                cutPath.append(f("M%.2f %d", i * step, height));
            }
            path.append(f("L%.2f %.2f L%.2f %.2f", i * step, y, (i + 1) * step, y));
            if (i == kept - 1 || i == sorted.length - 1) {
                path.append(f("L%.2f %d Z", (i + 1) * step, height));
            }
        }
        svg.append("<path class='kept' d='").append(keptPath).append("'/>");
        svg.append("<path class='cut' d='").append(cutPath).append("'/>");
        double at = kept * step;
        svg.append(
                f(
                        "<line class='cutline' x1='%.2f' x2='%.2f' y1='0' y2='%d'/>"
                                + "<text class='note' x='0' y='%d'>%s: %d of %d kept</text></svg>",
                        at, at, height, height + 14, title, kept, sorted.length));
        return svg.toString();
    }

    private static StringBuilder open(String xTitle, String yTitle) {
        return new StringBuilder(
                f(
                        "<svg viewBox='0 0 %d %d' role='img' aria-label='%s by %s'>"
                                + "<text class='axis' x='%d' y='%d' text-anchor='middle'>%s</text>"
                                + "<text class='axis' transform='translate(12 %d) rotate(-90)' text-anchor='middle'>%s</text>",
                        WIDTH,
                        HEIGHT,
                        yTitle,
                        xTitle,
                        (LEFT + WIDTH - RIGHT) / 2,
                        HEIGHT - 4,
                        xTitle,
                        (HEIGHT - BOTTOM + TOP) / 2,
                        yTitle));
    }

    private static List<Line> concat(List<Line> a, List<Line> b) {
        return java.util.stream.Stream.concat(a.stream(), b.stream()).toList();
    }

    private record Axes(double xMax, double yMin, double yMax) {
        double x(double value) {
            return LEFT + (WIDTH - LEFT - RIGHT) * value / xMax;
        }

        double y(double value) {
            return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - yMin) / (yMax - yMin);
        }

        void draw(StringBuilder svg) {
            for (int i = 0; i <= 4; i++) {
                double value = yMin + (yMax - yMin) * i / 4;
                svg.append(
                        f(
                                "<line class='grid' x1='%d' x2='%d' y1='%.1f' y2='%.1f'/>"
                                        + "<text class='tick' x='%d' y='%.1f' text-anchor='end'>%.3g</text>",
                                LEFT,
                                WIDTH - RIGHT,
                                y(value),
                                y(value),
                                LEFT - 4,
                                y(value) + 4,
                                value));
                double x = xMax * i / 4;
                svg.append(
                        f(
                                "<text class='tick' x='%.1f' y='%d' text-anchor='middle'>%s</text>",
                                x(x), HEIGHT - BOTTOM + 14, count(x)));
            }
        }
    }

    /// `1.5 M`, `300 k`, `22.4 T`.
    static String count(double n) {
        String[] units = {"", " k", " M", " G", " T", " P"};
        int unit = 0;
        double left = n;
        while (left >= 1000 && unit < units.length - 1) {
            left /= 1000;
            unit++;
        }
        return f(unit == 0 ? "%.0f" : "%.3g", left) + units[unit];
    }

    private static String f(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
