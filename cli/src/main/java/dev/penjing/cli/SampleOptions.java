package dev.penjing.cli;

import dev.penjing.model.UsageException;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// Which part of a text is looked at.
final class SampleOptions {
    private static final List<String> NAMES = List.of("--samples", "--sequence-length", "--seed");

    @Option(
            names = "--samples",
            defaultValue = "256",
            description = "Sequences of the text (default: ${DEFAULT-VALUE}).")
    int samples = 256;

    @Option(
            names = "--sequence-length",
            defaultValue = "1024",
            description = "Tokens in each (default: ${DEFAULT-VALUE}, or the model's context).")
    int sequenceLength = 1024;

    @Option(names = "--seed", defaultValue = "1", description = "Of their choice.")
    long seed = 1;

    /// Where no text is given, there is nothing to say of it.
    ///
    /// @param text the option that gives one
    /// @throws UsageException if one of these options was given
    static void requireNone(CommandSpec command, String text) {
        NAMES.stream()
                .filter(name -> command.commandLine().getParseResult().hasMatchedOption(name))
                .findFirst()
                .ifPresent(name -> {
                    throw new UsageException(
                            "%s says which part of %s is looked at: give %s too"
                                    .formatted(name, text, text));
                });
    }
}
