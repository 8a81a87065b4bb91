package dev.penjing.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.evaluation.code.CodeRunner;
import dev.penjing.evaluation.code.Sandbox;
import dev.penjing.evaluation.code.SandboxLimits;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Good programs pass, bad ones fail with a reason, hostile ones are contained, and the next good
/// program passes whatever came before.
@Timeout(300)
class SandboxTest {
    static final Path LIBRARY = Path.of("target", "python");

    private static final String GOOD =
            """
            from typing import List

            def running_maximum(numbers: List[int]) -> List[int]:
                \"""The largest number so far.\"""
                result = []
                for number in numbers:
                    result.append(max([number] + result[-1:]))
                return result


            def check(candidate):
                assert candidate([]) == []
                assert candidate([1, 3, 2, 5]) == [1, 3, 3, 5]

            check(running_maximum)\
            """;

    private static Sandbox sandbox;

    @TempDir Path folder;

    @BeforeAll
    static void open() {
        sandbox = sandbox(60, 180, 512, 1);
    }

    @AfterAll
    static void close() {
        sandbox.close();
    }

    private static Sandbox sandbox(int computing, int waiting, int megabytes, int children) {
        var limits =
                new SandboxLimits(
                        Duration.ofSeconds(computing),
                        Duration.ofSeconds(waiting),
                        megabytes,
                        children);
        return new Sandbox(System.getProperty("java.class.path"), LIBRARY, limits);
    }

    @Test
    void goodProgramsPassAndBadOnesSayWhy() {
        assertThat(sandbox.run(GOOD)).isEqualTo(new CodeRunner.Outcome(true, ""));
        assertThat(sandbox.run("").passed()).isTrue();
        assertThat(sandbox.run(GOOD.replace("max(", "min(")).reason()).isEqualTo("AssertionError");
        assertThat(sandbox.run(GOOD.replace("result[", "rest[")).reason())
                .isEqualTo("NameError: name 'rest' is not defined");
        assertThat(sandbox.run("assert 1 == 2, 'one is not two'").reason())
                .isEqualTo("AssertionError: one is not two");
        assertThat(sandbox.run("x = [1, 2").reason()).startsWith("SyntaxError: '[' was never");
    }

    @Test
    void whatProgramsImportIsThere() {
        var outcome =
                sandbox.run(
                        """
                        import array, bisect, cmath, collections, copy, datetime, decimal, enum
                        import fractions, functools, hashlib, heapq, itertools, json, math, operator
                        import os, random, re, statistics, string, sys, time, typing
                        from dataclasses import dataclass

                        @dataclass
                        class Point:
                            x: int

                        assert Point(1) == Point(1)
                        assert hashlib.md5(b'a').hexdigest() == '0cc175b9c0f1b6a831c399e269772661'
                        assert re.findall(r'\\d+', 'a1b22') == ['1', '22']
                        assert sum([0.1] * 10) == 0.9999999999999999
                        assert statistics.median([3, 1, 2]) == 2
                        assert 2 ** 100 == 1267650600228229401496703205376
                        assert f'{3.14159:.2f} {7:>3}' == '3.14   7'
                        """);
        assertThat(outcome.reason()).isEmpty();
    }

    /// As in the benchmarks' harnesses, what is written for a program started by hand does not run.
    @Test
    void aProgramIsNotTheMainProgram() {
        assertThat(sandbox.run("if __name__ == '__main__': assert False").passed()).isTrue();
    }

    @Test
    void aProgramLeavesNothingToTheNext() {
        sandbox.run(
                """
                import builtins, math, sys
                builtins.len = lambda x: 5
                math.pi = 3
                sys.modules['re'] = None
                leftover = 1
                """);
        var next =
                """
                import math, re
                assert len([]) == 0 and math.pi > 3.1 and re.match('a', 'a')
                assert 'leftover' not in globals()
                """;
        assertThat(sandbox.run(next).reason()).isEmpty();
    }

    @Test
    void hostileProgramsAreDenied() throws IOException {
        contained(sandbox, HostilePrograms.denied(), GOOD, 4);
    }

    @Test
    void whatDoesNotEndIsEndedAloneOrWithItsProcess() throws Exception {
        try (Sandbox strict = sandbox(2, 180, 256, 1);
                Sandbox patient = sandbox(60, 180, 256, 1);
                var beside = Executors.newSingleThreadExecutor()) {
            Future<?> endless =
                    beside.submit(() -> {
                        contained(strict, HostilePrograms.endless(), "assert True", 1);
                        return true;
                    });
            // each needs a new process anyway, and starting one is what takes time here
            contained(patient, HostilePrograms.deadly(), GOOD, HostilePrograms.deadly().size());
            endless.get();
        }
    }

    @Test
    void programsThatOnlyWaitAreEnded() {
        try (Sandbox impatient = sandbox(2, 2, 256, 2)) {
            assertThat(
                            Stream.of(
                                            "import time; time.sleep(1000)",
                                            "import threading; l = threading.Lock(); l.acquire(); l.acquire()")
                                    .parallel()
                                    .map(impatient::run))
                    .extracting(CodeRunner.Outcome::reason)
                    .containsOnly("timed out after 2 s");
        }
    }

    /// Runs them, and after each `every` of them `good`.
    private void contained(Sandbox sandbox, Map<String, String> programs, String good, int every)
            throws IOException {
        Path own = Files.createTempDirectory(folder, "programs");
        Path file = Files.writeString(own.resolve("secret"), "secret");
        Path made = own.resolve("made");
        var softly = new SoftAssertions();
        var run = new AtomicInteger();
        try (var server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            programs.forEach((text, reason) -> {
                String program =
                        text.replace("FILE", file.toString())
                                .replace("NEW", made.toString())
                                .replace("PORT", "" + server.getLocalPort());
                CodeRunner.Outcome outcome = sandbox.run(program);
                softly.assertThat(outcome.passed()).as(text).isFalse();
                softly.assertThat(outcome.reason())
                        .as(text)
                        .isNotEmpty()
                        .startsWith(reason)
                        .hasSizeLessThan(400)
                        .doesNotContain("\n", "\u001b", "secret\n");
                softly.assertThat(made).as(text).doesNotExist();
                softly.assertThat(file).as(text).hasContent("secret");
                if (run.incrementAndGet() % every == 0 || run.get() == programs.size()) {
                    softly.assertThat(sandbox.run(good).reason()).as("after " + text).isEmpty();
                }
            });
            server.setSoTimeout(1);
            softly.assertThatThrownBy(server::accept)
                    .as("nobody has called")
                    .isInstanceOf(java.net.SocketTimeoutException.class);
        }
        softly.assertAll();
    }

    @Test
    void manyMayAskAtOnceAndEachGetsItsOwnAnswer() {
        var programs = new ArrayList<String>();
        for (int i = 0; i < 12; i++) {
            programs.add(
                    "import time; time.sleep(" + (i % 3) / 10.0 + "); assert " + i + " % 4 == 0");
        }
        try (Sandbox two = sandbox(60, 180, 512, 2)) {
            List<CodeRunner.Outcome> outcomes = programs.parallelStream().map(two::run).toList();
            for (int i = 0; i < 12; i++) {
                assertThat(outcomes.get(i).passed()).as("program " + i).isEqualTo(i % 4 == 0);
            }
        }
    }
}
