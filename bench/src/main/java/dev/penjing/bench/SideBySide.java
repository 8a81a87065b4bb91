package dev.penjing.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Contestants that do the same work in turn, so that a machine whose speed drifts is fair to all.
final class SideBySide {
    /// Does the work once and returns its rate, in whatever unit the benchmark prints.
    interface Contestant {
        double rate() throws Exception;
    }

    record Entry(String name, Contestant contestant) {}

    private SideBySide() {}

    /// Prints each round, then medians, and how many times as fast the first is as each other: the
    /// median of the rounds' ratios, as the machine may have been slow for whole rounds.
    static void run(String unit, int warmUps, int rounds, List<Entry> entries) throws Exception {
        double[][] rates = new double[entries.size()][rounds];
        for (int round = -warmUps; round < rounds; round++) {
            for (int i = 0; i < entries.size(); i++) {
                double rate = entries.get(i).contestant().rate();
                if (round >= 0) {
                    rates[i][round] = rate;
                }
                System.out.printf(
                        Locale.ROOT,
                        "%s %s: %.1f %s%n",
                        round < 0 ? "warm-up" : "round " + (round + 1),
                        entries.get(i).name(),
                        rate,
                        unit);
            }
        }
        System.out.printf(
                Locale.ROOT, "%nmedian %s: %.1f %s%n", name(entries, 0), median(rates[0]), unit);
        for (int i = 1; i < rates.length; i++) {
            double[] ratios = new double[rounds];
            for (int round = 0; round < rounds; round++) {
                ratios[round] = rates[0][round] / rates[i][round];
            }
            System.out.printf(
                    Locale.ROOT,
                    "median %s: %.1f %s; %s is %.2f times as fast%n",
                    name(entries, i),
                    median(rates[i]),
                    unit,
                    name(entries, 0),
                    median(ratios));
        }
    }

    private static String name(List<Entry> entries, int i) {
        return entries.get(i).name();
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
