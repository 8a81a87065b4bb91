package dev.penjing.compression.training;

import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.List;

/// Objectives by name.
public final class Objectives {
    private Objectives() {}

    /// The inverse of [Objective#key]: `kl`, `kl@T` at temperature T, `ce`, or a weighted sum such
    /// as `0.7*kl+0.3*ce`.
    ///
    /// @throws UsageException if it is none of these
    public static Objective parse(String text) {
        String[] parts = text.strip().split("\\+", -1);
        if (parts.length == 1 && !text.contains("*")) {
            return single(text.strip(), text);
        }
        List<Mixture.Term> terms = new ArrayList<>();
        for (String part : parts) {
            int times = part.indexOf('*');
            double weight = times < 0 ? 1 : number(part.substring(0, times), text);
            terms.add(new Mixture.Term(weight, single(part.substring(times + 1).strip(), text)));
        }
        return new Mixture(terms);
    }

    private static Objective single(String name, String whole) {
        int at = name.indexOf('@');
        return switch (at < 0 ? name : name.substring(0, at)) {
            case ForwardKl.NAME ->
                    new ForwardKl(at < 0 ? 1 : number(name.substring(at + 1), whole));
            case CrossEntropy.NAME -> {
                if (at >= 0) {
                    throw unknown(whole);
                }
                yield new CrossEntropy();
            }
            default -> throw unknown(whole);
        };
    }

    private static double number(String text, String whole) {
        try {
            return Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            throw unknown(whole);
        }
    }

    private static UsageException unknown(String whole) {
        return new UsageException(
                "objective must be kl, kl@TEMPERATURE, ce or a sum such as 0.7*kl+0.3*ce, not "
                        + whole);
    }
}
