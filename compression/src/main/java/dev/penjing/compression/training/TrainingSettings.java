package dev.penjing.compression.training;

import dev.penjing.model.UsageException;

/// How a run trains. Defaults follow Minitron (arXiv 2408.11796, table 4) where a small machine
/// can; `docs/reference/training.md` says which.
///
/// @param tokens training tokens in all; rounded up to whole steps
/// @param learningRate its peak, reached after `warmupSteps` by a straight line
/// @param minLearningRate where the cosine ends, at the last step
/// @param globalBatchSize sequences a step
/// @param microBatchSize sequences at once; the gradient of a step is the same for any (up to
///   rounding)
/// @param sequenceLength tokens a sequence
/// @param seed of the order of the data, and of random weights
/// @param weightDecay on matrices
/// @param clip largest norm of the gradient
/// @param evaluateEvery steps between measurements on the held-out text
/// @param checkpointEvery steps between checkpoints
public record TrainingSettings(
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
        int checkpointEvery) {
    public TrainingSettings {
        require(tokens > 0, "--tokens must be positive");
        require(
                learningRate > 0 && Double.isFinite(learningRate),
                "--learning-rate must be positive");
        require(
                minLearningRate >= 0 && minLearningRate <= learningRate,
                "--min-learning-rate must lie between 0 and --learning-rate");
        require(warmupSteps >= 0, "--warmup-steps must not be negative");
        require(globalBatchSize > 0, "--global-batch-size must be positive");
        require(
                microBatchSize > 0 && globalBatchSize % microBatchSize == 0,
                "--global-batch-size must be a multiple of --micro-batch-size");
        require(sequenceLength > 1, "--sequence-length must be at least 2");
        require(weightDecay >= 0, "--weight-decay must not be negative");
        require(clip > 0, "--clip must be positive");
        require(evaluateEvery > 0, "--evaluate-every must be positive");
        require(checkpointEvery > 0, "--checkpoint-every must be positive");
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new UsageException(message);
        }
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
}
