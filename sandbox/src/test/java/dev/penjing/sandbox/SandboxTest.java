package dev.penjing.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.evaluation.code.Sandbox;
import dev.penjing.evaluation.code.SandboxLimits;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SandboxTest {
    @Test
    void passes() {
        try (var sandbox = new Sandbox(System.getProperty("java.class.path"), Path.of("target/python"), SandboxLimits.DEFAULT.withChildren(1))) {
            assertThat(sandbox.run("assert 1 + 1 == 2").passed()).isTrue();
            assertThat(sandbox.run("assert 1 + 1 == 3").reason()).isEqualTo("AssertionError");
        }
    }
}
