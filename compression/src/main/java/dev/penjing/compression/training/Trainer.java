package dev.penjing.compression.training;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.Probe;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.DType;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/// Trains a decoder on an [Objective]: distillation where it compares with a teacher, pretraining
/// where the next token is its target.
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
    private final HeadLoss loss;
    private final Sequences data;
    private final Optional<HeldOut> heldOut;
    private final LoopHooks hooks;
    private final StepTimes times = new StepTimes();

    /// Trains alone.
    public Trainer(
            TrainingSettings settings,
            ModelConfig config,
            FlatParameters start,
            Optional<Decoder> teacher,
            Sequences data,
            Optional<HeldOut> heldOut,
            Compute compute) {
        this(settings, config, start, teacher, data, heldOut, compute, LoopHooks.SINGLE);
    }

    /// @param start float32 parameters to start from; the trainer takes them over, and closes them
    ///   if it cannot be made
    /// @param teacher must be there if the objective needs it; where it does not, the held-out text
    ///   is still measured against it
    /// @param hooks to the other ranks
    /// @throws PenjingException if teacher and student have different vocabularies
    public Trainer(
            TrainingSettings settings,
            ModelConfig config,
            FlatParameters start,
            Optional<Decoder> teacher,
            Sequences data,
            Optional<HeldOut> heldOut,
            Compute compute,
            LoopHooks hooks) {
        this.hooks = hooks;
        this.settings = settings;
        this.compute = compute;
        this.teacher = teacher;
        this.data = data;
        this.heldOut = heldOut;
        try (Closer closer = new Closer()) {
            closer.own(start, FlatParameters::close);
            requireTeacher(settings.objective(), teacher, config);
            closer.keep(); // the student takes it over
            this.student =
                    closer.own(
                            new Student(config, start, settings.quantization(), compute),
                            Student::close);
            Shard shard = Shard.of(start.layout().size(), hooks.rank(), hooks.worldSize());
            this.optimizer =
                    closer.own(
                            new AdamW(start, shard, settings.weightDecay(), compute), AdamW::close);
            this.loss =
                    closer.own(
                            new HeadLoss(settings.objective(), compute.threads()), HeadLoss::close);
            closer.keep();
        }
    }

    private static void requireTeacher(
            Objective objective, Optional<Decoder> teacher, ModelConfig student) {
        if (objective.needsTeacher() && teacher.isEmpty()) {
            throw new PenjingException(
                    "the objective %s compares with a teacher: name one, or train on ce"
                            .formatted(objective.key()));
        }
        if (teacher.isPresent()
                && teacher.get().config().vocabularySize() != student.vocabularySize()) {
            throw new PenjingException(
                    "the teacher's vocabulary has %d tokens, the student's %d: they must be the same; prune the student from this teacher"
                            .formatted(
                                    teacher.get().config().vocabularySize(),
                                    student.vocabularySize()));
        }
    }

    /// Trains to the last step, from the newest checkpoint in `run` where there is one and `resume`
    /// allows it.
    ///
    /// @param fingerprint of everything that the result depends on; a checkpoint with another one
    ///   is refused
    /// @param run a folder that all ranks see
    /// @throws Stopped if it was told to stop before its last step
    /// @throws PenjingException if the loss or its gradient is not finite; the last good checkpoint
    ///   stays
    public void run(Path run, String fingerprint, boolean resume, Progress progress) {
        requireEnough();
        boolean writes = hooks.writes();
        CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), fingerprint, hooks);
        long step =
                resume ? store.restore(student.master(), optimizer, compute) : store.startAnew();
        student.refresh();
        try (TrainingMetrics metrics =
                writes
                        ? TrainingMetrics.open(run.resolve("metrics.jsonl"), step)
                        : TrainingMetrics.discarding()) {
            if (step == 0 && writes) {
                measure(metrics, 0, progress);
            }
            RateMeter rate = new RateMeter();
            while (step < settings.steps()) {
                step++;
                StepResult result = step(step, store);
                double tokensPerSecond = rate.add(settings.tokensPerStep());
                metrics.step(step, step * settings.tokensPerStep(), result, tokensPerSecond);
                progress.update(
                        settings.objective().needsTeacher() ? "distill" : "pretrain",
                        step,
                        settings.steps(),
                        "loss %.4f  %,.0f tokens/s".formatted(result.loss(), tokensPerSecond));
                boolean last = step == settings.steps();
                boolean stops = result.stops() && !last;
                if (writes && !stops && (last || step % settings.evaluateEvery() == 0)) {
                    measure(metrics, step, progress);
                    rate.pause();
                }
                if (last || stops || step % settings.checkpointEvery() == 0) {
                    metrics.flush();
                    store.save(step, student.master(), optimizer);
                    rate.pause();
                }
                if (stops) {
                    throw new Stopped(step, settings.steps());
                }
            }
        }
    }

    private void requireEnough() {
        if (settings.globalBatchSize() < hooks.worldSize()) {
            throw new UsageException(
                    "globalBatchSize %d leaves some of %d ranks without a sequence: use fewer, or a larger batch"
                            .formatted(settings.globalBatchSize(), hooks.worldSize()));
        }
    }

    /// @param loss mean over the tokens of the objective
    /// @param stops whether a rank was told to stop
    record StepResult(
            double loss,
            double crossEntropy,
            double gradientNorm,
            double learningRate,
            boolean stops) {}

    private StepResult step(long step, CheckpointStore store) {
        times.start();
        student.clearGradients();
        double scale = 1.0 / settings.tokensPerStep();
        HeadLoss.Sums own = HeadLoss.Sums.ZERO;
        Shard rows = Shard.of(settings.globalBatchSize(), hooks.rank(), hooks.worldSize());
        long begin = (step - 1) * settings.globalBatchSize();
        for (long at = rows.from(); at < rows.to(); at += settings.microBatchSize()) {
            int count = (int) Math.min(settings.microBatchSize(), rows.to() - at);
            own = own.plus(microBatch(begin + at, count, scale));
        }
        hooks.reduceScatter(student.gradient());
        double[] sums = {
            own.loss(),
            own.crossEntropy(),
            own.tokens(),
            squaredNorm(optimizer.shard()),
            hooks.stopRequested() ? 1 : 0
        };
        hooks.allReduce(sums);
        double loss = sums[0] / sums[2];
        double learningRate = settings.learningRateAt(step);
        double norm = Math.sqrt(sums[3]);
        requireFinite(loss, norm, step, store);
        double clip = norm > settings.clip() ? settings.clip() / norm : 1;
        optimizer.step(student.gradient(), clip, learningRate, step);
        hooks.allGather(student.master().flat());
        student.refresh();
        times.optimizer();
        return new StepResult(loss, sums[1] / sums[2], norm, learningRate, sums[4] > 0);
    }

    private double squaredNorm(Shard shard) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            double norm =
                    student.gradient().narrow(0, shard.from(), shard.size()).norm().item_double();
            return norm * norm;
        }
    }

    private HeadLoss.Sums microBatch(long first, int rows, double scale) {
        int length = settings.sequenceLength();
        int[] ids = new int[rows * (length + 1)];
        for (int i = 0; i < rows; i++) {
            System.arraycopy(data.sample(first + i), 0, ids, i * (length + 1), length + 1);
        }
        Objective objective = settings.objective();
        try (PointerScope scope = new PointerScope()) {
            Tensor all = compute.place(Tensors.ids(ids, rows, length + 1));
            Tensor inputs = all.narrow(1, 0, length).contiguous();
            Tensor targets = all.narrow(1, 1, length).reshape(-1);
            Optional<HeadLoss.Teacher> taught =
                    teacher.filter(t -> objective.needsTeacher())
                            .map(t -> taught(t, inputs, objective.hidden().isPresent()));
            times.teacher();
            return student.accumulate(
                    inputs, targets, taught, loss, objective.hidden(), scale, times);
        }
    }

    private static HeadLoss.Teacher taught(Decoder teacher, Tensor inputs, boolean tapped) {
        try (AutoGradMode noGrad = new AutoGradMode(false)) {
            HiddenStates states = new HiddenStates();
            Tensor hidden = teacher.hidden(teacher.embed(inputs), tapped ? states : Probe.NONE);
            return new HeadLoss.Teacher(hidden, teacher.head(), states);
        }
    }

    private static void requireFinite(double loss, double norm, long step, CheckpointStore store) {
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new PenjingException(
                    "the loss is not finite at step %d (loss %s, gradient norm %s): %s; choose a lower learningRate or more warmupSteps"
                            .formatted(step, loss, norm, store.newest()));
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
        loss.close();
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
