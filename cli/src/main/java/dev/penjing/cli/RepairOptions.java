package dev.penjing.cli;

import dev.penjing.compression.importance.DepthChoice;
import dev.penjing.compression.repair.RepairSettings;
import dev.penjing.model.UsageException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// What is repaired after a cut, and how.
final class RepairOptions {
    @Option(
            names = "--repair",
            description =
                    "What to repair in closed form: none, norms (gains), readers (and what reads cut channels), full (and what reads cut neurons and heads, and seams). Default: full.")
    Optional<String> level = Optional.empty();

    @Option(
            names = "--selection",
            description =
                    "What decides which neurons and heads stay: activation (Minitron's importance) or obs (what a refit cannot make good). Default: obs where all is repaired, else activation.")
    Optional<String> selection = Optional.empty();

    @Option(
            names = "--depth-by",
            description =
                    "What decides which layers stay: influence (scored), perplexity (with one dropped), logits (their error, again and again), angular (one block of neighbours). Default: influence.")
    Optional<String> depth = Optional.empty();

    RepairSettings settings() {
        RepairSettings chosen = levelAndSelection();
        return depth.map(d -> chosen.with(RepairSettings.parse(DepthChoice.class, d)))
                .orElse(chosen);
    }

    private RepairSettings levelAndSelection() {
        RepairSettings settings =
                level.map(l ->
                                RepairSettings.DEFAULT.with(
                                        RepairSettings.parse(RepairSettings.Level.class, l)))
                        .orElse(RepairSettings.DEFAULT);
        if (selection.isEmpty()) {
            return settings.level() == RepairSettings.Level.FULL
                    ? settings
                    : settings.with(RepairSettings.Selection.ACTIVATION);
        }
        RepairSettings.Selection chosen =
                RepairSettings.parse(RepairSettings.Selection.class, selection.get());
        if (chosen == RepairSettings.Selection.OBS
                && settings.level() != RepairSettings.Level.FULL) {
            throw new UsageException(
                    "--selection obs keeps what a refit cannot make good: it needs --repair full");
        }
        return settings.with(chosen);
    }

    /// The same, with a text to go by.
    static final class OnText {
        @Mixin RepairOptions how = new RepairOptions();

        @Option(
                names = "--data",
                arity = "1..*",
                description = "Text that the repair goes by; without it nothing is repaired.")
        List<Path> data = List.of();

        @Mixin SampleOptions sampled = new SampleOptions();

        /// Without text.
        void requireNone(CommandSpec command, ConsoleProgress progress) {
            SampleOptions.requireNone(command, "--data");
            if (how.level.isPresent() && !how.level.get().equals("none")
                    || how.selection.isPresent()
                    || how.depth.isPresent()) {
                throw new UsageException("a repair goes by text: give --data too");
            }
            if (how.level.isEmpty()) {
                progress.say("cut only: give --data to repair what the cut tears");
            }
        }
    }
}
