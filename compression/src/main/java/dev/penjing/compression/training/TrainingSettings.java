package dev.penjing.compression.training;

import dev.penjing.model.UsageException;
import dev.penjing.model.gguf.FileType;
import java.util.Optional;

/// How a run trains. [#builder] has defaults, which follow Minitron (arXiv 2408.11796, table 4)
/// where a small machine can; `docs/reference/training.md` says which.
///
/// @param objective the loss
/// @param tokens training tokens in all; rounded up to whole steps
/// @param learningRate its peak, reached after `warmupSteps` by a straight line
/// @param minLearningRate where the cosine ends, at the last step
/// @param globalBatchSize sequences a step
/// @param microBatchSize sequences at once (gradient accumulation); the gradient of a step is the
///   same for any, up to rounding
/// @param sequenceLength tokens a sequence
/// @param seed of the order of the data, and of random weights
/// @param weightDecay on matrices
/// @param clip largest norm of the gradient
/// @param evaluateEvery steps between measurements on the held-out text
/// @param checkpointEvery steps between checkpoints
/// @param quantization the file that the student is trained for: its forward pass has the weights
///   as that file will have them; none, and it has its own
public record TrainingSettings(
        Objective objective,
        long tokens,
        double learningRate,
        double minLearningRate,
        int warmupSteps,
        int globalBatchSize,
        int microBatchSize,
        int sequenceLength,
        long seed,
        double weightDecay,
        double clip,
        int evaluateEvery,
        int checkpointEvery,
        Optional<FileType> quantization) {
    /// Tokens that go through the model at once, unless a micro-batch size is given.
    private static final int MICRO_BATCH_TOKENS = 4096;

    /// @throws UsageException that names the field which cannot be
    public TrainingSettings {
        require(tokens > 0, "tokens must be positive");
        require(learningRate > 0 && Double.isFinite(learningRate), "learningRate must be positive");
        require(
                minLearningRate >= 0 && minLearningRate <= learningRate,
                "minLearningRate must lie between 0 and learningRate");
        require(warmupSteps >= 0, "warmupSteps must not be negative");
        require(globalBatchSize > 0, "globalBatchSize must be positive");
        require(
                microBatchSize > 0 && globalBatchSize % microBatchSize == 0,
                "globalBatchSize must be a multiple of microBatchSize");
        require(sequenceLength > 1, "sequenceLength must be at least 2");
        require(weightDecay >= 0, "weightDecay must not be negative");
        require(clip > 0, "clip must be positive");
        require(evaluateEvery > 0, "evaluateEvery must be positive");
        require(checkpointEvery > 0, "checkpointEvery must be positive");
        quantization.ifPresent(FakeQuantization::requireBlocks);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new UsageException(message);
        }
    }

    /// Settings that train on so many tokens, the rest as it is by default.
    public static Builder builder(long tokens) {
        return new Builder(tokens);
    }

    public long tokensPerStep() {
        return (long) globalBatchSize * sequenceLength;
    }

    public long steps() {
        return (tokens + tokensPerStep() - 1) / tokensPerStep();
    }

    /// The learning rate of a step counted from 1: linear warm-up, then a cosine down to the
    /// minimum.
    public double learningRateAt(long step) {
        if (step <= warmupSteps) {
            return learningRate * step / warmupSteps;
        }
        double progress = (double) (step - warmupSteps) / Math.max(1, steps() - warmupSteps);
        return minLearningRate
                + (learningRate - minLearningRate) * 0.5 * (1 + Math.cos(Math.PI * progress));
    }

    /// All that decides the weights, field by field: two settings with the same text train the same
    /// model from the same start on the same data. How often a run is measured and saved is not in
    /// it. The number at the beginning changes when the meaning of a field does.
    public String fingerprint() {
        return String.join(
                "\n",
                "training 2",
                "objective=" + objective.key(),
                "steps=" + steps(),
                "learningRate=" + learningRate,
                "minLearningRate=" + minLearningRate,
                "warmupSteps=" + warmupSteps,
                "globalBatchSize=" + globalBatchSize,
                "microBatchSize=" + microBatchSize,
                "sequenceLength=" + sequenceLength,
                "seed=" + seed,
                "weightDecay=" + weightDecay,
                "clip=" + clip,
                quantization.map(type -> "quantization=" + type + "\n").orElse(""));
    }

    /// Settings in the making: see the record's own description of each.
    public static final class Builder {
        private final long tokens;
        private Objective objective = new ForwardKl();
        private double learningRate = 1e-4;
        private double minLearningRate = 4.5e-7;
        private int warmupSteps = 60;
        private int globalBatchSize = 32;
        private int microBatchSize;
        private int sequenceLength = 512;
        private long seed = 1;
        private double weightDecay = 0.1;
        private double clip = 1;
        private int evaluateEvery = 50;
        private int checkpointEvery = 50;
        private Optional<FileType> quantization = Optional.empty();

        private Builder(long tokens) {
            this.tokens = tokens;
        }

        /// The loss; forward Kullback-Leibler divergence by default.
        public Builder objective(Objective objective) {
            this.objective = objective;
            return this;
        }

        /// The peak of the learning rate, and where its cosine ends.
        public Builder learningRate(double peak, double minimum) {
            this.learningRate = peak;
            this.minLearningRate = minimum;
            return this;
        }

        public Builder warmupSteps(int steps) {
            this.warmupSteps = steps;
            return this;
        }

        public Builder globalBatchSize(int sequences) {
            this.globalBatchSize = sequences;
            return this;
        }

        /// Sequences at once; 0, the default, for about 4,096 tokens' worth.
        public Builder microBatchSize(int sequences) {
            this.microBatchSize = sequences;
            return this;
        }

        public Builder sequenceLength(int tokens) {
            this.sequenceLength = tokens;
            return this;
        }

        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        public Builder weightDecay(double decay) {
            this.weightDecay = decay;
            return this;
        }

        public Builder clip(double norm) {
            this.clip = norm;
            return this;
        }

        public Builder evaluateEvery(int steps) {
            this.evaluateEvery = steps;
            return this;
        }

        public Builder checkpointEvery(int steps) {
            this.checkpointEvery = steps;
            return this;
        }

        /// Trains for a quantised file.
        public Builder quantization(Optional<FileType> type) {
            this.quantization = type;
            return this;
        }

        /// @throws UsageException that names the field which cannot be
        public TrainingSettings build() {
            return new TrainingSettings(
                    objective,
                    tokens,
                    learningRate,
                    minLearningRate,
                    warmupSteps,
                    globalBatchSize,
                    microBatchSize == 0 ? largestDivisor() : microBatchSize,
                    sequenceLength,
                    seed,
                    weightDecay,
                    clip,
                    evaluateEvery,
                    checkpointEvery,
                    quantization);
        }

        private int largestDivisor() {
            int fitting = MICRO_BATCH_TOKENS / Math.max(1, sequenceLength);
            int rows = Math.max(1, Math.min(globalBatchSize, fitting));
            while (globalBatchSize % rows != 0) {
                rows--;
            }
            return rows;
        }
    }
}
