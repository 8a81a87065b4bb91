package dev.penjing.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What the sources of every room's main code hold to, `bench` and `sandbox` included. Each rule is
/// also shown to fail.
class SourcesTest {
    /// The rooms that a program of its own may be built on. They do not know the command line.
    private static final List<String> LIBRARIES =
            List.of("model", "world", "compression", "evaluation", "inference", "server");

    private static final List<String> ROOMS = JavaSource.ROOMS;

    /// Names that every package or program has.
    private static final List<String> COMMON = List.of("package-info", "Main");

    private static final Pattern FLAG = Pattern.compile("(?<![-\\w])--[a-z][-a-z]*");

    /// Options of the JVM, which the rooms that start one have to name.
    private static final List<String> OF_JAVA =
            List.of(
                    "--add-modules",
                    "--enable-native-access",
                    "--illegal-native-access",
                    "--sun-misc-unsafe-memory-access");

    /// Where tensors are named: nobody else spells them.
    private static final String TENSORS = "dev.penjing.model.architecture";

    /// Pieces of tensors' names, of Hugging Face's form and of GGUF's.
    private static final Pattern TENSOR =
            Pattern.compile(
                    "embed_tokens|lm_head|self_attn|[a-z]_proj\\b|layernorm|model\\.(norm|layers)"
                            + "|token_embd|output_norm|attn_(q|k|v|output|norm)\\b"
                            + "|ffn_(gate|up|down|norm)\\b|blk\\.");

    private static List<JavaSource> sources(List<String> rooms) {
        return rooms.stream().flatMap(room -> JavaSource.ofRoom(room).stream()).toList();
    }

    private static JavaSource source(String name, String text) {
        return new JavaSource(Path.of(name + ".java"), "package dev.penjing.none;\n" + text);
    }

    @Test
    void everyRoomIsRead() {
        for (String room : ROOMS) {
            assertThat(JavaSource.ofRoom(room)).as(room).isNotEmpty();
        }
        assertThat(
                        sources(ROOMS).stream()
                                .filter(source -> source.isIn(TENSORS))
                                .flatMap(source -> source.literals().stream()))
                .anyMatch(literal -> TENSOR.matcher(literal.text()).find());
    }

    @Test
    void literalsAreFound() {
        JavaSource java =
                source(
                        "A",
                        "// \"no\" '\"'\n/* \"no\n */ char c = '\"'; char d = '\\'';\n"
                                + "String a = \"x \\\" y\" + \"\";\nString b = \"\"\"\n  z \" z\"\"\";");
        assertThat(java.literals())
                .containsExactly(
                        new JavaSource.Literal(5, "x \\\" y"),
                        new JavaSource.Literal(5, ""),
                        new JavaSource.Literal(6, "\n  z \" z"));
    }

    @Test
    void noTwoClassesShareASimpleName() {
        assertThat(namesThatExistTwice(sources(ROOMS))).isEmpty();
    }

    @Test
    void twoClassesOfOneNameAreNoticed() {
        assertThat(namesThatExistTwice(List.of(source("A", ""), source("B", ""), source("A", ""))))
                .containsOnlyKeys("A");
    }

    @Test
    void libraryRoomsNameNoFlagOfTheCommandLine() {
        assertThat(flags(sources(LIBRARIES))).isEmpty();
    }

    @Test
    void flagsAreNoticed() {
        assertThat(
                        flags(
                                List.of(
                                        source("A", "String a = \"--data\"; // \"--no\""),
                                        source("B", "String a = \"leave --resume out\";"),
                                        source(
                                                "C",
                                                "String a = \"--add-modules=x\", b = \"---\";"))))
                .containsExactly("A.java:2 --data", "B.java:2 leave --resume out");
    }

    @Test
    void onlyTheArchitectureNamesTensors() {
        assertThat(tensors(sources(ROOMS))).isEmpty();
    }

    @Test
    void tensorsAreNoticed() {
        assertThat(
                        tensors(
                                List.of(
                                        source(
                                                "A",
                                                "String a = at + \"q_proj.weight\"; // \"lm_head\""),
                                        source("B", "String b = \"blk.%d.attn_q.weight\";"),
                                        source("C", "String c = \"projection\";"))))
                .containsExactly("A.java:2 q_proj.weight", "B.java:2 blk.%d.attn_q.weight");
    }

    @Test
    void everyPackageSaysWhatLivesThere() {
        assertThat(silentPackages(sources(ROOMS))).isEmpty();
    }

    @Test
    void silentPackagesAreNoticed() {
        JavaSource none = new JavaSource(Path.of("a/A.java"), "");
        JavaSource empty = new JavaSource(Path.of("b/package-info.java"), "package b;");
        JavaSource good = new JavaSource(Path.of("c/package-info.java"), "/// C.\npackage c;");
        assertThat(silentPackages(List.of(none, empty, good)))
                .containsExactly(Path.of("a"), Path.of("b"));
    }

    private static List<Path> silentPackages(List<JavaSource> sources) {
        Map<Path, Boolean> says = new TreeMap<>();
        for (JavaSource source : sources) {
            boolean sentence =
                    source.name().equals("package-info") && source.text().startsWith("///");
            says.merge(source.folder(), sentence, Boolean::logicalOr);
        }
        return says.entrySet().stream()
                .filter(entry -> !entry.getValue())
                .map(Map.Entry::getKey)
                .toList();
    }

    private static Map<String, List<Path>> namesThatExistTwice(List<JavaSource> sources) {
        Map<String, List<Path>> byName =
                sources.stream()
                        .filter(source -> !COMMON.contains(source.name()))
                        .collect(
                                Collectors.groupingBy(
                                        JavaSource::name,
                                        Collectors.mapping(JavaSource::path, Collectors.toList())));
        byName.values().removeIf(paths -> paths.size() == 1);
        return byName;
    }

    private static List<String> flags(List<JavaSource> sources) {
        List<String> found = new ArrayList<>();
        for (JavaSource source : sources) {
            for (JavaSource.Literal literal : source.literals()) {
                if (FLAG.matcher(literal.text())
                        .results()
                        .anyMatch(flag -> !OF_JAVA.contains(flag.group()))) {
                    found.add(at(source, literal));
                }
            }
        }
        return found;
    }

    private static List<String> tensors(List<JavaSource> sources) {
        List<String> found = new ArrayList<>();
        for (JavaSource source : sources) {
            if (source.isIn(TENSORS)) {
                continue;
            }
            for (JavaSource.Literal literal : source.literals()) {
                if (TENSOR.matcher(literal.text()).find()) {
                    found.add(at(source, literal));
                }
            }
        }
        return found;
    }

    private static String at(JavaSource source, JavaSource.Literal literal) {
        return source.path() + ":" + literal.line() + " " + literal.text();
    }
}
