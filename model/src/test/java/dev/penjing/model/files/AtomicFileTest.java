package dev.penjing.model.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AtomicFileTest {
    @TempDir Path folder;

    private enum Step {
        FORCE_DATA,
        MOVE,
        FORCE_FOLDER
    }

    /// Notes what is asked of the disk, and does it, up to a step that fails.
    private static final class Recording implements AtomicFile.Storage {
        private final List<Step> steps = new ArrayList<>();
        private final List<Step> failing;

        Recording(Step... failing) {
            this.failing = List.of(failing);
        }

        private void step(Step step) throws IOException {
            if (failing.contains(step)) {
                throw new IOException("no space left");
            }
            steps.add(step);
        }

        @Override
        public void force(Path path) throws IOException {
            step(Files.isDirectory(path) ? Step.FORCE_FOLDER : Step.FORCE_DATA);
            AtomicFile.Disk.REAL.force(path);
        }

        @Override
        public void move(Path from, Path to) throws IOException {
            step(Step.MOVE);
            AtomicFile.Disk.REAL.move(from, to);
        }
    }

    private void assertNothingIsLeftAside() {
        assertThat(folder).isDirectoryNotContaining("glob:**.partial");
    }

    @Test
    void dataIsForcedBeforeTheMoveAndTheFolderAfterIt() throws IOException {
        Recording disk = new Recording();
        Path file = folder.resolve("new/file");
        try (AtomicFile out = new AtomicFile(file, disk)) {
            Files.writeString(out.aside(), "text");
            assertThat(file).doesNotExist();
            assertThat(disk.steps).isEmpty();
            out.commit();
        }
        assertThat(disk.steps).containsExactly(Step.FORCE_DATA, Step.MOVE, Step.FORCE_FOLDER);
        assertThat(file).hasContent("text");
        assertThat(folder.resolve("new")).isDirectoryNotContaining("glob:**.partial");
    }

    @ParameterizedTest
    @EnumSource(Step.class)
    void aFailureAtAnyPointLeavesAWholeFile(Step failing) throws IOException {
        Path file = folder.resolve("file");
        Files.writeString(file, "old");
        try (AtomicFile out = new AtomicFile(file, new Recording(failing))) {
            Files.writeString(out.aside(), "new");
            assertThatThrownBy(out::commit)
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining("no space left");
        }
        // once it is moved, the new one is there and whole, if not surely for ever
        assertThat(file).hasContent(failing == Step.FORCE_FOLDER ? "new" : "old");
        assertNothingIsLeftAside();
    }

    @Test
    void whatIsNotCommittedIsRemoved() throws IOException {
        Path file = folder.resolve("file");
        Files.writeString(file, "old");
        try (AtomicFile out = AtomicFile.create(file)) {
            Files.writeString(out.aside(), "half");
        }
        assertThat(file).hasContent("old");
        assertNothingIsLeftAside();
    }

    @Test
    void aFolderThatCannotBeMadeIsSaid() throws IOException {
        Path inTheWay = folder.resolve("file");
        Files.writeString(inTheWay, "x");
        assertThatThrownBy(() -> AtomicFile.write(inTheWay.resolve("inside"), "y"))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("inside")
                .hasMessageNotContaining("\n");
    }

    @Test
    void aWholeFileIsPutInPlaceInTheSameOrder() throws IOException {
        Recording disk = new Recording();
        Path whole = folder.resolve("whole");
        Path file = folder.resolve("file");
        Files.writeString(whole, "new");
        Files.writeString(file, "old");
        AtomicFile.putInPlace(whole, file, disk);
        assertThat(disk.steps).containsExactly(Step.FORCE_DATA, Step.MOVE, Step.FORCE_FOLDER);
        assertThat(file).hasContent("new");
        assertThat(whole).doesNotExist();
        Files.writeString(whole, "newer");
        assertThatThrownBy(() -> AtomicFile.putInPlace(whole, file, new Recording(Step.MOVE)))
                .isInstanceOf(IOException.class);
        assertThat(file).hasContent("new");
        assertThat(whole).hasContent("newer"); // to be tried again
    }

    /// Writes a file over and over, each time all of one letter.
    static final class Writer {
        static final int TIMES = 40;
        static final int SIZE = 300_000;

        private Writer() {}

        static void write(Path file, String letter) {
            for (int i = 0; i < TIMES; i++) {
                AtomicFile.write(file, letter.repeat(SIZE));
            }
        }

        public static void main(String[] arguments) {
            write(Path.of(arguments[0]), arguments[1]);
        }
    }

    private static void assertWhole(Path file) throws IOException {
        String text = Files.readString(file);
        assertThat(text.length()).isEqualTo(Writer.SIZE);
        assertThat(text.chars().distinct().count()).isEqualTo(1);
    }

    @Test
    void twoThreadsAndAnotherProcessWriteOneFile() throws Exception {
        Path file = folder.resolve("file");
        Process other =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                at(AtomicFile.class) + File.pathSeparator + at(Writer.class),
                                Writer.class.getName(),
                                file.toString(),
                                "c")
                        .inheritIO()
                        .start();
        List<Throwable> failures = new ArrayList<>();
        List<Thread> threads =
                Stream.of("a", "b")
                        .map(letter ->
                                Thread.ofPlatform()
                                        .uncaughtExceptionHandler((t, e) -> {
                                            synchronized (failures) {
                                                failures.add(e);
                                            }
                                        })
                                        .start(() -> Writer.write(file, letter)))
                        .toList();
        while (!Files.exists(file)) {
            Thread.onSpinWait();
        }
        while (other.isAlive() || threads.stream().anyMatch(Thread::isAlive)) {
            assertWhole(file);
        }
        assertThat(other.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(other.exitValue()).isZero();
        synchronized (failures) {
            assertThat(failures).isEmpty();
        }
        assertWhole(file);
        assertNothingIsLeftAside();
    }

    private static String at(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    }
}
