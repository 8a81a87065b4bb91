package dev.penjing.cli;

import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;

/// The one place that knows what a field of a library is called on the command line. Libraries name
/// fields in their messages, `learningRate`, since they know no options; whoever reads the message
/// on a terminal types `--learning-rate`.
///
/// A word is taken for a field if the command has that option and the word stands in backticks, is
/// of several words (`sequenceLength`), or begins the message (`tokens must be positive`).
final class OptionNames {
    /// Fields that are called otherwise on the command line.
    private static final Map<String, String> OTHERS =
            Map.of(
                    "shots",
                    "--num-fewshot",
                    "noCache",
                    "--no-cache",
                    "maxTokens",
                    "--max-new-tokens");

    private static final Pattern FIELD =
            Pattern.compile(
                    "`([a-z][A-Za-z]*)`|\\b([a-z]+(?:[A-Z][a-z]+)+)\\b|^([a-z]+)(?= must )");

    private OptionNames() {}

    /// A message of a library as the user of this command should read it.
    static String in(String message, CommandSpec command) {
        return FIELD.matcher(message).replaceAll(found -> replacement(found, command));
    }

    private static String replacement(MatchResult found, CommandSpec command) {
        for (int group = 1; group <= found.groupCount(); group++) {
            String field = found.group(group);
            if (field != null) {
                String option = option(field);
                if (command.findOption(option) != null) {
                    return Matcher.quoteReplacement(option);
                }
            }
        }
        return Matcher.quoteReplacement(found.group());
    }

    /// `learningRate` as `--learning-rate`.
    private static String option(String field) {
        String kebab = field.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
        return OTHERS.getOrDefault(field, "--" + kebab);
    }
}
