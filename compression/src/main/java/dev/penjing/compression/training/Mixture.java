package dev.penjing.compression.training;

import dev.penjing.model.UsageException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// A weighted sum of objectives, such as distillation with a share of cross-entropy.
///
/// @param terms at least one
public record Mixture(List<Term> terms) implements Objective {
    /// @param weight positive
    public record Term(double weight, Objective objective) {
        /// @throws UsageException if the weight is not positive
        public Term {
            if (!(weight > 0) || Double.isInfinite(weight)) {
                throw new UsageException(
                        "the weight of " + objective.key() + " must be positive, not " + weight);
            }
        }
    }

    /// @throws UsageException without a term
    public Mixture {
        if (terms.isEmpty()) {
            throw new UsageException("an objective needs at least one term");
        }
        terms = List.copyOf(terms);
    }

    @Override
    public String key() {
        return terms.stream()
                .map(term -> term.weight() + "*" + term.objective().key())
                .collect(Collectors.joining("+"));
    }

    @Override
    public boolean needsTeacher() {
        return terms.stream().anyMatch(term -> term.objective().needsTeacher());
    }

    @Override
    public double loss(TokenLogits logits) {
        return terms.stream()
                .mapToDouble(term -> term.weight() * term.objective().loss(logits))
                .sum();
    }

    @Override
    public Tensor gradient(TokenLogits logits) {
        Term first = terms.getFirst();
        Tensor sum = first.objective().gradient(logits).mul_(new Scalar(first.weight()));
        for (Term term : terms.subList(1, terms.size())) {
            sum.add_(term.objective().gradient(logits), new Scalar(term.weight()));
        }
        return sum;
    }

    /// There if it is there of each term.
    @Override
    public Optional<FusedTerms> fused() {
        double divergence = 0;
        double crossEntropy = 0;
        for (Term term : terms) {
            Optional<FusedTerms> fused = term.objective().fused();
            if (fused.isEmpty()) {
                return Optional.empty();
            }
            divergence += term.weight() * fused.get().divergence();
            crossEntropy += term.weight() * fused.get().crossEntropy();
        }
        return Optional.of(new FusedTerms(divergence, crossEntropy));
    }

    @Override
    public Optional<HiddenLoss> hidden() {
        List<Term> hidden =
                terms.stream().filter(term -> term.objective().hidden().isPresent()).toList();
        if (hidden.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of((student, teacher) -> {
            Optional<Tensor> sum = Optional.empty();
            for (Term term : hidden) {
                Tensor loss =
                        term.objective()
                                .hidden()
                                .orElseThrow()
                                .sum(student, teacher)
                                .mul(new Scalar(term.weight()));
                sum = Optional.of(sum.isPresent() ? sum.get().add(loss) : loss);
            }
            return sum.orElseThrow();
        });
    }
}
