package dev.penjing.evaluation.python;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PythonTextTest {
    @Test
    void textAsInPython() {
        assertThat(PythonText.strip("\u00a0 a b\u2007\u0085\n")).isEqualTo("a b");
        assertThat(PythonText.capitalize("hELLO wORLD")).isEqualTo("Hello world");
        assertThat(PythonText.capitalize("ßa")).isEqualTo("Ssa");
        assertThat(PythonText.capitalize("ǆabc")).isEqualTo("ǅabc");
        assertThat(PythonText.capitalize("")).isEmpty();
        assertThat(PythonText.length("a😀b")).isEqualTo(3);
    }
}
