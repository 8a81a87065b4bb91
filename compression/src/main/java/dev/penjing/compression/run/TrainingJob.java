package dev.penjing.compression.run;

import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.training.LoopHooks;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.Progress;
import java.nio.file.Path;

/// A training that is to be done, whatever the model: how, on what, and where its results go.
///
/// @param to the folder that comes to hold the model
/// @param work where checkpoints and metrics go meanwhile
/// @param resume whether to go on from the newest checkpoint in `work`
/// @param command as the user gave it, for the record
/// @param hooks to other processes that train the same model
public record TrainingJob(
        TrainingSettings settings,
        TrainingText text,
        Path to,
        Path work,
        boolean resume,
        String command,
        Compute compute,
        LoopHooks hooks,
        Progress progress) {
    /// A training by this process alone, from the start, with its checkpoints in `to/work`.
    public static TrainingJob of(
            TrainingSettings settings, TrainingText text, Path to, Compute compute) {
        return new TrainingJob(
                settings,
                text,
                to,
                to.resolve("work"),
                false,
                "",
                compute,
                LoopHooks.SINGLE,
                Progress.NONE);
    }

    /// The same with its checkpoints in another folder.
    public TrainingJob work(Path folder) {
        return new TrainingJob(
                settings, text, to, folder, resume, command, compute, hooks, progress);
    }

    /// The same, which goes on from a checkpoint or not.
    public TrainingJob resume(boolean wanted) {
        return new TrainingJob(settings, text, to, work, wanted, command, compute, hooks, progress);
    }

    /// The same by the command that is given.
    public TrainingJob command(String line) {
        return new TrainingJob(settings, text, to, work, resume, line, compute, hooks, progress);
    }

    /// The same as one of several processes.
    public TrainingJob hooks(LoopHooks others) {
        return new TrainingJob(
                settings, text, to, work, resume, command, compute, others, progress);
    }

    /// The same, which tells how far it is.
    public TrainingJob progress(Progress listener) {
        return new TrainingJob(settings, text, to, work, resume, command, compute, hooks, listener);
    }
}
