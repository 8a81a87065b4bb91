package dev.penjing.inference.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Kernels are written out row by row: each row's lines are those of the first row with its own
/// number, so that an edit of one is an edit of all.
class KernelTextTest {
    private static final Path KERNELS = Path.of("src/main/java/dev/penjing/inference/kernel");

    /// The statements of a kernel, one a line, without blanks.
    private static List<String> statements(String file, String method) throws IOException {
        String text = Files.readString(KERNELS.resolve(file + ".java"));
        String from = text.substring(text.indexOf("static void " + method + "("));
        int end = from.indexOf("\n    }\n");
        List<String> statements = new ArrayList<>();
        for (String statement : from.substring(from.indexOf("{"), end).split("[;{}]")) {
            statements.add(statement.replaceAll("\\s+", " ").strip());
        }
        statements.removeIf(String::isEmpty);
        return statements;
    }

    /// The statements of a row: those that name its variables.
    private static List<String> row(List<String> all, int row) {
        Pattern own = Pattern.compile("\\b[abxmnfz]" + row + "\\b");
        Pattern others = Pattern.compile("\\b[abxmnfz]\\d\\b");
        List<String> statements = new ArrayList<>();
        for (String statement : all) {
            if (own.matcher(statement).find()) {
                Matcher matcher = others.matcher(statement);
                while (matcher.find()) {
                    assertThat(matcher.group()).as(statement).endsWith(String.valueOf(row));
                }
                statements.add(generic(statement, row));
            }
        }
        return statements;
    }

    /// The same statement for any row: `#` for its number, and for multiples of it.
    private static String generic(String statement, int row) {
        String result = statement.replaceAll("\\b([abxmnfz])" + row + "\\b", "$1#");
        result = result.replaceAll("\\[s \\+ " + row + "]", "[s + #]");
        for (String unit : List.of("PAIRS", "UNIT")) {
            result = result.replace("+ " + row + " * " + unit, "+ # * " + unit);
            // the first rows' multiples are left unwritten
            result = row == 1 ? result.replace("+ " + unit, "+ # * " + unit) : result;
        }
        if (row == 0) {
            result = result.replace("[g]", "[g + # * PAIRS]");
            result = result.replace("[g + 1]", "[g + # * PAIRS + 1]");
        }
        String even = row == 0 ? "0" : 2 * row + " * L";
        String odd = row == 0 ? "L" : 2 * row + 1 + " * L";
        result = result.replaceAll("sums, " + Pattern.quote(even) + "\\)", "sums, 2# * L)");
        return result.replaceAll("sums, " + Pattern.quote(odd) + "\\)", "sums, (2# + 1) * L)");
    }

    private static List<String> sameRows(String file, String method, int rows) throws IOException {
        List<String> all = statements(file, method);
        List<String> first = row(all, 0);
        assertThat(first).hasSizeGreaterThan(5);
        for (int row = 1; row < rows; row++) {
            assertThat(row(all, row)).as("%s.%s, row %d", file, method, row).isEqualTo(first);
        }
        return first;
    }

    @Test
    void everyRowOfAKernelIsTheSameText() throws IOException {
        List<String> four = sameRows("FourRows", "q4", 4);
        List<String> eight = sameRows("EightRows", "q4", 8);
        assertThat(eight).isEqualTo(four);
        sameRows("FourRows", "q8", 4);
        sameRows("EightFloatRows", "q8", 8);
    }
}
