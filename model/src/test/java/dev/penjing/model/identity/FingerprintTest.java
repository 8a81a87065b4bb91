package dev.penjing.model.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FingerprintTest {
    private static Fingerprint shape() {
        return Fingerprint.of("shape", 1).with("hidden", 192).with("rate", 1e-3).with("on", true);
    }

    /// What stands on people's disks: a change here makes all of it worthless.
    @Test
    void staysAsItWas() {
        assertThat(Fingerprint.of("shape", 1).with("hidden", 192).with("name", "a b").sha256())
                .isEqualTo("b3bb764f18fcd7e234e35afec1ccc45257b14743565b6be212e2e980edf26b9d");
    }

    @Test
    void theOrderOfNamesDoesNotMatter() {
        assertThat(
                        Fingerprint.of("shape", 1)
                                .with("on", true)
                                .with("rate", 1e-3)
                                .with("hidden", 192)
                                .sha256())
                .isEqualTo(shape().sha256());
    }

    @Test
    void everythingThatIsNamedMatters() {
        Set<String> keys = new HashSet<>();
        List<Fingerprint> all =
                List.of(
                        shape(),
                        Fingerprint.of("form", 1)
                                .with("hidden", 192)
                                .with("rate", 1e-3)
                                .with("on", true),
                        Fingerprint.of("shape", 2)
                                .with("hidden", 192)
                                .with("rate", 1e-3)
                                .with("on", true),
                        shape().with("more", ""),
                        Fingerprint.of("shape", 1).with("a", "b").with("c", ""),
                        Fingerprint.of("shape", 1).with("a", "b\n1:c0:"),
                        Fingerprint.of("shape", 1).with("a", "b\n1:c0:\n"));
        all.forEach(one -> keys.add(one.sha256()));
        assertThat(keys).hasSameSizeAs(all);
        assertThatThrownBy(() -> shape().with("hidden", 3))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void eachPartOfTheArithmeticMatters() {
        Arithmetic one = new Arithmetic("1.0", "abc", "libtorch", "2.10.0 AVX2", "float32", "cpu");
        List<Arithmetic> others =
                List.of(
                        new Arithmetic("1.1", "abc", "libtorch", "2.10.0 AVX2", "float32", "cpu"),
                        new Arithmetic("1.0", "abc", "penjing", "2.10.0 AVX2", "float32", "cpu"),
                        new Arithmetic("1.0", "abc", "libtorch", "2.13.0 AVX2", "float32", "cpu"),
                        new Arithmetic("1.0", "abc", "libtorch", "2.10.0 AVX2", "bfloat16", "cpu"),
                        new Arithmetic("1.0", "abc", "libtorch", "2.10.0 AVX2", "float32", "cuda"));
        others.forEach(other -> {
            assertThat(other.key()).isNotEqualTo(one.key());
            assertThat(other.releaseKey()).isNotEqualTo(one.releaseKey());
        });
        Arithmetic commit =
                new Arithmetic("1.0", "def", "libtorch", "2.10.0 AVX2", "float32", "cpu");
        assertThat(commit.key()).isNotEqualTo(one.key());
        assertThat(commit.releaseKey()).isEqualTo(one.releaseKey());
        assertThat(one.describe())
                .isEqualTo("penjing 1.0 (abc): libtorch 2.10.0 AVX2, float32 on cpu");
        assertThat(one.toJson().path("kernels").asString()).isEqualTo("2.10.0 AVX2");
    }
}
