package dev.penjing.cli;

import dev.penjing.compression.training.Objective;
import dev.penjing.compression.training.Objectives;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.gguf.FileType;
import java.util.Optional;
import picocli.CommandLine.Option;

/// How to train.
final class TrainingOptions {
    @Option(names = "--tokens", required = true, description = "Training tokens in all.")
    long tokens;

    @Option(
            names = "--learning-rate",
            defaultValue = "1e-4",
            description = "Its peak (default: ${DEFAULT-VALUE}, Minitron's).")
    double learningRate = 1e-4;

    @Option(
            names = "--min-learning-rate",
            defaultValue = "4.5e-7",
            description = "Where the cosine ends (default: ${DEFAULT-VALUE}).")
    double minLearningRate = 4.5e-7;

    @Option(
            names = "--warmup-steps",
            defaultValue = "60",
            description = "Steps of linear warm-up (default: ${DEFAULT-VALUE}).")
    int warmupSteps = 60;

    @Option(
            names = "--global-batch-size",
            defaultValue = "32",
            description = "Sequences a step (default: ${DEFAULT-VALUE}).")
    int globalBatchSize = 32;

    @Option(
            names = "--micro-batch-size",
            defaultValue = "0",
            description = "Sequences at once (default: about 4,096 tokens' worth).")
    int microBatchSize;

    @Option(
            names = "--sequence-length",
            defaultValue = "512",
            description = "Tokens a sequence (default: ${DEFAULT-VALUE}).")
    int sequenceLength = 512;

    @Option(
            names = "--seed",
            defaultValue = "1",
            description = "Of the order of the data and of random weights (default: 1).")
    long seed = 1;

    @Option(
            names = "--weight-decay",
            defaultValue = "0.1",
            description = "On matrices (default: ${DEFAULT-VALUE}).")
    double weightDecay = 0.1;

    @Option(
            names = "--clip",
            defaultValue = "1",
            description = "Largest norm of the gradient (default: ${DEFAULT-VALUE}).")
    double clip = 1;

    @Option(
            names = "--evaluate-every",
            defaultValue = "50",
            description = "Steps between measurements on held-out text (default: 50).")
    int evaluateEvery = 50;

    @Option(
            names = "--checkpoint-every",
            defaultValue = "50",
            description = "Steps between checkpoints (default: 50).")
    int checkpointEvery = 50;

    TrainingSettings settings(Objective objective) {
        return builder(objective).build();
    }

    /// Of a student that may be meant for a quantised file.
    TrainingSettings settings(Objective objective, Loss loss) {
        return builder(objective).quantization(loss.quantization.map(FileType::named)).build();
    }

    private TrainingSettings.Builder builder(Objective objective) {
        return TrainingSettings.builder(tokens)
                .objective(objective)
                .learningRate(learningRate, minLearningRate)
                .warmupSteps(warmupSteps)
                .globalBatchSize(globalBatchSize)
                .microBatchSize(microBatchSize)
                .sequenceLength(sequenceLength)
                .seed(seed)
                .weightDecay(weightDecay)
                .clip(clip)
                .evaluateEvery(evaluateEvery)
                .checkpointEvery(checkpointEvery);
    }

    /// What distillation makes small.
    static final class Loss {
        @Option(
                names = "--objective",
                defaultValue = "kl",
                description =
                        "The loss: kl (divergence from the teacher), kl@TEMPERATURE, ce (next token) or a sum such as 0.7*kl+0.3*ce (default: kl).")
        String objective = "kl";

        @Option(
                names = "--quantization",
                description =
                        "Heal for a quantised file (q4_0, q4_k_m, ...: types of the command quantize): the student computes with its weights rounded as that file has them.")
        Optional<String> quantization = Optional.empty();

        Objective parse() {
            return Objectives.parse(objective);
        }
    }
}
