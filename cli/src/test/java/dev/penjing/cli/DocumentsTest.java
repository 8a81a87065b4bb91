package dev.penjing.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What a reader of the documents is spared.
class DocumentsTest {
    private static final String HOUSE = "dev.penjing.";
    private static final int MOST_WORDS = 100;

    /// What begins a paragraph although no empty line stands before it.
    private static final Pattern BEGINS = Pattern.compile("\\s*([-*]|\\d+\\.)\\s.*|#.*");

    private static final Pattern CODE = Pattern.compile("`([^`\\n]+)`");

    /// A class of ours, perhaps with a member.
    private static final Pattern CLASS = Pattern.compile("([A-Z]\\w*[a-z]\\w*)(\\.\\w+)?");

    private static final Pattern PACKAGE =
            Pattern.compile("(model|compression|inference|evaluation|server)(\\.[a-z]+)+");

    /// Classes of others that the documents name.
    private static final Set<String> FOREIGN = Set.of("PointerScope");

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
    void classesAndPackagesNamedInTheArchitectureExist() throws IOException {
        for (String document : List.of("docs/architecture.md", "CONTRIBUTING.md")) {
            assertThat(unknownNames(Files.readString(Path.of("..", document))))
                    .as(document)
                    .isEmpty();
        }
    }

    @Test
    void theRulesCanFail() throws IOException {
        String words = "word ".repeat(MOST_WORDS);
        assertThat(tooLong(words + "more")).hasSize(1);
        assertThat(tooLong("a\n\n- " + words + "\n  more")).hasSize(1);
        assertThat(tooLong(words + "\n\n" + words + "\n# " + words.substring(10))).isEmpty();
        assertThat(tooLong("    code " + words + "\n| row | " + words)).isEmpty();
        assertThat(tooLong("```\n" + words + words + "\n```\nshort")).isEmpty();
        assertThat(deadLinks(Path.of("../README.md"), "[a](docs/none.md) [b](LICENSE)"))
                .containsExactly("docs/none.md");
        assertThat(
                        unknownNames(
                                "`DocumentsTest`, `Main`, `Main.none`, `model.hub`, `Q4_0`"
                                        + " `NoSuchClass` `model.nowhere`"))
                .containsExactly("NoSuchClass", "model.nowhere");
    }

    /// Names of classes and packages in backticks that are not in the sources.
    private static List<String> unknownNames(String text) throws IOException {
        Set<String> classes = new HashSet<>(FOREIGN);
        Set<String> packages = new HashSet<>();
        for (String room : JavaSource.ROOMS) {
            try (Stream<Path> files = Files.walk(Path.of("..", room, "src"))) {
                for (Path file : files.toList()) {
                    String name = String.valueOf(file.getFileName());
                    if (name.endsWith(".java")) {
                        classes.add(name.substring(0, name.length() - ".java".length()));
                    } else if (Files.isDirectory(file)) {
                        String path = file.toString().replace(File.separatorChar, '.');
                        int at = path.indexOf(HOUSE);
                        packages.add(at < 0 ? "" : path.substring(at + HOUSE.length()));
                    }
                }
            }
        }
        List<String> unknown = new ArrayList<>();
        for (MatchResult code : CODE.matcher(text).results().toList()) {
            Matcher aClass = CLASS.matcher(code.group(1));
            Matcher aPackage = PACKAGE.matcher(code.group(1));
            if (aClass.matches() && !classes.contains(aClass.group(1))
                    || aPackage.matches() && !packages.contains(aPackage.group())) {
                unknown.add(code.group(1));
            }
        }
        return unknown;
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
