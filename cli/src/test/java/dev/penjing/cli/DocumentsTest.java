package dev.penjing.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What a reader of the documents is spared.
class DocumentsTest {
    private static final int MOST_WORDS = 100;

    /// What begins a paragraph although no empty line stands before it.
    private static final Pattern BEGINS = Pattern.compile("\\s*([-*]|\\d+\\.)\\s.*|#.*");

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:\\s]+)(#[^)]*)?\\)");

    private static List<Path> documents() throws IOException {
        List<Path> all = new ArrayList<>();
        Path home = Path.of("..");
        for (String folder : List.of("docs", "deploy")) {
            try (Stream<Path> files = Files.walk(home.resolve(folder))) {
                files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(all::add);
            }
        }
        for (String file : List.of("README.md", "CONTRIBUTING.md", "teacher/README.md")) {
            all.add(home.resolve(file));
        }
        return all;
    }

    @Test
    void noParagraphIsLong() throws IOException {
        for (Path document : documents()) {
            assertThat(tooLong(Files.readString(document))).as(document.toString()).isEmpty();
        }
    }

    @Test
    void linksLeadToFiles() throws IOException {
        for (Path document : documents()) {
            assertThat(deadLinks(document, Files.readString(document)))
                    .as(document.toString())
                    .isEmpty();
        }
    }

    @Test
    void theRulesCanFail() {
        String words = "word ".repeat(MOST_WORDS);
        assertThat(tooLong(words + "more")).hasSize(1);
        assertThat(tooLong("a\n\n- " + words + "\n  more")).hasSize(1);
        assertThat(tooLong(words + "\n\n" + words + "\n# " + words.substring(10))).isEmpty();
        assertThat(tooLong("    code " + words + "\n| row | " + words)).isEmpty();
        assertThat(tooLong("```\n" + words + words + "\n```\nshort")).isEmpty();
        assertThat(deadLinks(Path.of("../README.md"), "[a](docs/none.md) [b](LICENSE)"))
                .containsExactly("docs/none.md");
    }

    private static List<String> deadLinks(Path document, String text) {
        return LINK.matcher(text)
                .results()
                .map(link -> link.group(1))
                .filter(to -> !Files.exists(document.resolveSibling(to)))
                .toList();
    }

    /// The first words of each paragraph that is too long. Code and tables are none.
    private static List<String> tooLong(String markdown) {
        List<String> paragraphs = new ArrayList<>();
        StringBuilder paragraph = new StringBuilder();
        boolean fenced = false;
        for (String line : (markdown + "\n").split("\n", -1)) {
            boolean fence = line.startsWith("```");
            boolean prose = !fenced && !fence && !line.startsWith("    ") && !line.startsWith("|");
            fenced ^= fence;
            if (!prose || line.isBlank() || BEGINS.matcher(line).matches()) {
                paragraphs.add(paragraph.toString().strip());
                paragraph.setLength(0);
            }
            if (prose) {
                paragraph.append(line).append(' ');
            }
        }
        return paragraphs.stream()
                .filter(text -> text.split("\\s+").length > MOST_WORDS)
                .map(text -> text.substring(0, Math.min(60, text.length())) + " ...")
                .toList();
    }
}
