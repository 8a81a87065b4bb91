package dev.penjing.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class OptionNamesTest {
    /// In words of a library and as the user of a command reads them.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    distill  | minLearningRate must lie between 0 and learningRate | --min-learning-rate must lie between 0 and --learning-rate
                    distill  | tokens must be positive | --tokens must be positive
                    distill  | the text comes to 0 tokens: give more `data` | the text comes to 0 tokens: give more --data
                    evaluate | lower `shots` or complete the data | lower --num-fewshot or complete the data
                    evaluate | say `bos` off | say --bos off
                    evaluate | lower `learningRate` | lower `learningRate`
                    inspect  | sequenceLength is no option here | sequenceLength is no option here
                    evaluate | an item of mcTargets: `answer` | an item of mcTargets: `answer`
                    """)
    void namesTheOptionsOfTheCommand(String command, String message, String read) {
        CommandLine line =
                Objects.requireNonNull(
                        new CommandLine(new Main()).getSubcommands().get(command), command);
        assertThat(OptionNames.in(message, line.getCommandSpec())).isEqualTo(read);
    }
}
