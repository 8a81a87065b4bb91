package dev.penjing.compression.training;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.DType;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/// Trains a decoder: from a teacher's distribution (distillation) where there is one, on the next
/// token (pretraining) where not.
///
/// A run is a function of its settings, its data and the weights it starts from. Everything it
/// writes goes to one folder: `metrics.jsonl`, and `checkpoints/step-N`, from which [#run] goes on
/// as if it had never stopped. Owns native memory until closed.
public final class Trainer implements AutoCloseable {
    private final TrainingSettings settings;
    private final Compute compute;
    private final Student student;
    private final Optional<Decoder> teacher;
    private final AdamW optimizer;
    private final Sequences data;
    private final Optional<HeldOut> heldOut;
    private final StepTimes times = new StepTimes();

    /// @param start float32 parameters to start from; the trainer takes them over
    public Trainer(
            TrainingSettings settings,
            ModelConfig config,
            FlatParameters start,
            Optional<Decoder> teacher,
            Sequences data,
            Optional<HeldOut> heldOut,
            Compute compute) {
        this.settings = settings;
        this.compute = compute;
        this.student = new Student(config, start, compute);
        this.teacher = teacher;
        this.optimizer = new AdamW(start, settings.weightDecay(), compute);
        this.data = data;
        this.heldOut = heldOut;
        teacher.ifPresent(t -> requireSameVocabulary(t.config(), config));
    }

    private static void requireSameVocabulary(ModelConfig teacher, ModelConfig student) {
        if (teacher.vocabularySize() != student.vocabularySize()) {
            throw new PenjingException(
                    "the teacher's vocabulary has %d tokens, the student's %d: they must be the"
                                    .formatted(teacher.vocabularySize(), student.vocabularySize())
                            + " same; prune the student from this teacher");
        }
    }

    /// Trains to the last step, from the newest checkpoint in `run` where there is one and `resume`
    /// allows it.
    ///
    /// @param fingerprint of everything that the result depends on; a checkpoint with another one
    ///   is refused
    /// @throws PenjingException if the loss is not finite; the last good checkpoint stays
    public void run(Path run, String fingerprint, boolean resume, Progress progress) {
        CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), fingerprint);
        long step =
                resume ? store.restore(student.master(), optimizer, compute) : store.startAnew();
        student.refresh();
        try (TrainingMetrics metrics = TrainingMetrics.open(run.resolve("metrics.jsonl"), step)) {
            if (step == 0) {
                measure(metrics, 0, progress);
            }
            RateMeter rate = new RateMeter();
            while (step < settings.steps()) {
                step++;
                StepResult result = step(step);
                requireFinite(result, step, store);
                double tokensPerSecond = rate.add(settings.tokensPerStep());
                metrics.step(step, step * settings.tokensPerStep(), result, tokensPerSecond);
                progress.update(
                        teacher.isPresent() ? "distill" : "pretrain",
                        step,
                        settings.steps(),
                        "loss %.4f  %,.0f tokens/s".formatted(result.loss(), tokensPerSecond));
                boolean last = step == settings.steps();
                if (last || step % settings.evaluateEvery() == 0) {
                    measure(metrics, step, progress);
                    rate.pause();
                }
                if (last || step % settings.checkpointEvery() == 0) {
                    metrics.flush();
                    store.save(step, student.master(), optimizer);
                    rate.pause();
                }
            }
        }
    }

    /// @param loss mean over the tokens: divergence with a teacher, cross-entropy without
    record StepResult(double loss, double crossEntropy, double gradientNorm, double learningRate) {}

    private StepResult step(long step) {
        times.start();
        student.clearGradients();
        double scale = 1.0 / settings.tokensPerStep();
        HeadLoss.Sums sums = HeadLoss.Sums.ZERO;
        for (int at = 0; at < settings.globalBatchSize(); at += settings.microBatchSize()) {
            long first = (step - 1) * settings.globalBatchSize() + at;
            sums = sums.plus(microBatch(first, scale));
        }
        double learningRate = settings.learningRateAt(step);
        double norm;
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            norm = student.gradient().norm().item_double();
        }
        if (Double.isFinite(norm)) {
            double clip = norm > settings.clip() ? settings.clip() / norm : 1;
            optimizer.step(student.gradient(), clip, learningRate, step);
            student.refresh();
        }
        times.optimizer();
        double ce = sums.crossEntropy() / sums.tokens();
        double loss = teacher.isPresent() ? sums.divergence() / sums.tokens() : ce;
        return new StepResult(loss, ce, norm, learningRate);
    }

    private HeadLoss.Sums microBatch(long first, double scale) {
        int rows = settings.microBatchSize();
        int length = settings.sequenceLength();
        int[] ids = new int[rows * (length + 1)];
        for (int i = 0; i < rows; i++) {
            System.arraycopy(data.sample(first + i), 0, ids, i * (length + 1), length + 1);
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor all = compute.place(Tensors.ids(ids, rows, length + 1));
            Tensor inputs = all.narrow(1, 0, length).contiguous();
            Tensor targets = all.narrow(1, 1, length).reshape(-1);
            Optional<HeadLoss.Teacher> taught = teacher.map(t -> taught(t, inputs));
            times.teacher();
            return student.accumulate(inputs, targets, taught, scale, times);
        }
    }

    private static HeadLoss.Teacher taught(Decoder teacher, Tensor inputs) {
        try (AutoGradMode noGrad = new AutoGradMode(false)) {
            Tensor hidden = teacher.hidden(teacher.embed(inputs));
            return new HeadLoss.Teacher(hidden, teacher.head());
        }
    }

    private static void requireFinite(StepResult result, long step, CheckpointStore store) {
        if (!Double.isFinite(result.loss()) || !Double.isFinite(result.gradientNorm())) {
            throw new PenjingException(
                    "the loss is not finite at step %d (loss %s, gradient norm %s): %s; lower"
                                    .formatted(
                                            step,
                                            result.loss(),
                                            result.gradientNorm(),
                                            store.newest())
                            + " --learning-rate or raise --warmup-steps");
        }
    }

    private void measure(TrainingMetrics metrics, long step, Progress progress) {
        heldOut.ifPresent(text ->
                metrics.heldOut(
                        step,
                        step * settings.tokensPerStep(),
                        text.measure(student.decoder(), teacher, progress)));
    }

    /// Where the time of the steps so far went.
    public StepTimes times() {
        return times;
    }

    /// Writes the weights as a checkpoint in Hugging Face form.
    public void save(Path directory, DType type) {
        Checkpoints.write(student.config(), student.master(), directory, type);
    }

    @Override
    public void close() {
        optimizer.close();
        student.close();
    }

    /// Tokens a second over the last while, measuring and checkpoints left out.
    private static final class RateMeter {
        private long last = System.nanoTime();
        private double average;

        double add(long tokens) {
            long now = System.nanoTime();
            double rate = tokens / Math.max(1e-9, (now - last) / 1e9);
            last = now;
            average = average == 0 ? rate : 0.9 * average + 0.1 * rate;
            return average;
        }

        void pause() {
            last = System.nanoTime();
        }
    }
}
