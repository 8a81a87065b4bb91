package dev.penjing.evaluation.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the host makes of children that do not do as they should. None of them knows Python: how
/// programs fare is tested where the sandbox is.
@Timeout(300)
class BadChildTest {
    private static final SandboxLimits LIMITS =
            new SandboxLimits(Duration.ofMinutes(1), Duration.ofMinutes(1), 256, 1);

    /// For children that never answer.
    private static final SandboxLimits SHORT =
            new SandboxLimits(Duration.ofSeconds(1), Duration.ofSeconds(1), 256, 1);

    @TempDir Path folder;

    private Sandbox sandbox(Class<?> child, Duration patience, SandboxLimits limits) {
        Child.Command usual =
                Child.Command.of(
                        System.getProperty("java.class.path"), child.getName(), folder, limits);
        return new Sandbox(
                new Child.Command(
                        usual.java(),
                        usual.classPath(),
                        usual.main(),
                        usual.library(),
                        usual.heapMegabytes(),
                        patience),
                limits);
    }

    private Sandbox strict(Class<?> child) {
        return sandbox(child, Duration.ofSeconds(120), SHORT);
    }

    private Sandbox sandbox(Class<?> child) {
        return sandbox(child, Duration.ofSeconds(120), LIMITS);
    }

    @ParameterizedTest
    @CsvSource({
        "another number, answered what it was not asked",
        "garbage, does not answer: it speaks another language",
        "endless answer, does not answer: it speaks another language",
        "die, ended with status 7: I had enough",
        "out of memory, out of memory (256 MB)",
        "silence, timed out after 1 s",
    })
    void aChildThatBreaksWhileAProgramRunsFailsItAndIsReplaced(String how, String reason) {
        Class<?> child = BadChild.class;
        try (Sandbox sandbox = how.equals("silence") ? strict(child) : sandbox(child)) {
            assertThat(sandbox.run("pass").passed()).isTrue();
            CodeRunner.Outcome outcome = sandbox.run(how);
            assertThat(outcome.passed()).isFalse();
            assertThat(outcome.reason()).contains(reason);
            assertThat(sandbox.run("pass").passed()).isTrue();
        }
    }

    @Test
    void anAnswerTooManyIsNotTakenForTheNextProgramsAnswer() {
        try (Sandbox sandbox = strict(BadChild.class)) {
            assertThat(sandbox.run("twice").reason()).isEqualTo("no");
            assertThat(sandbox.run("silence").reason()).isEqualTo("timed out after 1 s");
            assertThat(sandbox.run("pass").passed()).isTrue();
        }
    }

    @Test
    void whatAnEarlierProgramMayHaveDoneIsNotHeldAgainstTheNext() {
        try (Sandbox sandbox = sandbox(BadChild.class)) {
            assertThat(sandbox.run("die later").passed()).isTrue();
            assertThat(sandbox.run("pass").passed()).isTrue();
        }
    }

    @Test
    void whatAChildComplainsOfDoesNotStopIt() {
        try (Sandbox sandbox = sandbox(BadChild.class)) {
            assertThat(sandbox.run("talk").passed()).isTrue();
        }
    }

    @Test
    void aChildThatDoesNotStartSaysWhyAndWhatToDo() {
        try (Sandbox sandbox = sandbox(BadChild.Dies.class)) {
            assertThatThrownBy(() -> sandbox.run("pass"))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("nothing works here")
                    .hasMessageContaining("'./penjing sandbox'");
        }
        try (Sandbox sandbox = sandbox(BadChild.Garbage.class)) {
            assertThatThrownBy(() -> sandbox.run("pass"))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("does not start");
        }
        try (Sandbox sandbox = sandbox(BadChild.Silent.class, Duration.ofSeconds(1), LIMITS)) {
            assertThatThrownBy(() -> sandbox.run("pass"))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("not ready after 1 s");
        }
        Child.Command noJava =
                new Child.Command(folder + "/java", "", "Main", folder, 256, Duration.ofSeconds(1));
        try (var sandbox = new Sandbox(noJava, LIMITS)) {
            assertThatThrownBy(() -> sandbox.run("pass"))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("cannot start the sandbox");
        }
    }

    @Test
    void aChildThatReadsNothingHoldsNobodyUp() {
        try (Sandbox sandbox = strict(BadChild.Deaf.class)) {
            // more than a pipe takes
            assertThat(sandbox.run("#".repeat(1 << 20)).reason()).startsWith("timed out");
        }
    }

    @Test
    void whatCannotBeSentFailsByItself() {
        try (Sandbox sandbox = sandbox(BadChild.class)) {
            assertThat(sandbox.run("#".repeat((1 << 20) + 1)).reason()).contains("longer than");
            assertThat(sandbox.run("'\ud800'").reason()).contains("no valid Unicode");
        }
    }

    @Test
    void closingEndsWhatRuns() throws Exception {
        Sandbox sandbox = sandbox(BadChild.class);
        assertThat(sandbox.run("pass").passed()).isTrue();
        List<ProcessHandle> children = ProcessHandle.current().children().toList();
        var running = CompletableFuture.supplyAsync(() -> sandbox.run("silence"));
        Thread.sleep(200);
        sandbox.close();
        assertThatThrownBy(running::get).hasCauseInstanceOf(PenjingException.class);
        assertThat(children).isNotEmpty().noneMatch(ProcessHandle::isAlive);
        assertThatThrownBy(() -> sandbox.run("pass")).isInstanceOf(PenjingException.class);
    }

    @Test
    void whoeverIsInterruptedWaitsForTheEndToo() {
        Sandbox sandbox = sandbox(BadChild.class);
        assertThat(sandbox.run("pass").passed()).isTrue();
        List<ProcessHandle> children = ProcessHandle.current().children().toList();
        Thread.currentThread().interrupt();
        sandbox.close();
        boolean running = children.stream().anyMatch(ProcessHandle::isAlive);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(children).isNotEmpty();
        assertThat(running).isFalse();
    }

    /// Built, but not whole: what is found does not start.
    @Test
    void aSandboxThatIsNotWholeSaysHowToBuildIt() throws IOException {
        Path main = folder.resolve("classes/dev/penjing/sandbox/Main.class");
        Files.createDirectories(main.getParent());
        Files.writeString(main, "no class");
        try (Sandbox sandbox =
                new Sandbox(
                        folder.resolve("classes").toString(), folder.resolve("python"), LIMITS)) {
            assertThatThrownBy(() -> sandbox.run("pass"))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("does not start")
                    .hasMessageContaining("'./penjing sandbox'");
        }
    }
}
