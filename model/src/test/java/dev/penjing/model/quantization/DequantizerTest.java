package dev.penjing.model.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DequantizerTest {
    /// Random blocks, and what ggml's Python package (gguf 0.17, gguf.quants) makes of them: some
    /// weights, and the sum of all absolute values.
    static Stream<Arguments> blocks() {
        return Stream.of(
                Arguments.of(
                        BlockType.Q4_0,
                        "4c22b8abeeab14cef599cc052535d5cec0ad",
                        new double[] {
                            0,
                            0.03689575,
                            0.06149292,
                            0.03689575,
                            0.02459717,
                            0.03689575,
                            0.02459717
                        },
                        1.611115),
                Arguments.of(
                        BlockType.Q4_1,
                        "4c220038760457a17c472a49ed10c2fa0a67ce0d",
                        new double[] {
                            0.5737915, 0.5491943, 0.6598816, 0.5860901, 0.5, 0.5860901, 0.5
                        },
                        18.754883),
                Arguments.of(
                        BlockType.Q5_0,
                        "4c22264785762462c423399232b39168ce358d21b527",
                        new double[] {
                            -0.147583,
                            0.02459717,
                            -0.1106873,
                            0.02459717,
                            -0.1721802,
                            0.02459717,
                            -0.1721802
                        },
                        3.541992),
                Arguments.of(
                        BlockType.Q5_1,
                        "4c220038a5627b0c90b818268101caff5536e4307fa901a7",
                        new double[] {
                            0.6967773, 0.5983887, 0.5860901, 0.8074646, 0.6229858, 0.8074646,
                            0.6229858
                        },
                        21.485168),
                Arguments.of(
                        BlockType.Q8_0,
                        "4c2210c04edc083cbdb5404808b9586fbf8a6343304464f943287f2d2133cee5d955",
                        new double[] {
                            0.1967773, -0.7871094, -1.451233, 1.21756, 1.04538, 1.21756, 1.04538
                        },
                        24.031433),
                Arguments.of(
                        BlockType.Q4_K,
                        "4c2200380e7fa01dd0a174645397c6a0adc1367e7e3976aa6b833bad348bb5a93fc4900f8a8987f5"
                                + "0f8c3b8efc8c4ce733da7d4597758c5cbdd130e147d9d82f7c5b70102d58b85f48d7dead24924b1f"
                                + "be1ebedebe4b4f57ff8b313a8509618b87183ce5346b49e2c23348df4abd744e5c8bbd04b85d34c7"
                                + "f36d1eb5cdc25ec5599f4e006d2fb109fa75dc800fadcc55",
                        new double[] {
                            -5.761658, -7.82782, -6.450378, -5.417297, -6.794739, -25.98346, -13
                        },
                        3928.516907),
                Arguments.of(
                        BlockType.Q5_K,
                        "4c22003894eb69eebb60083412b52987ef702f53e2eb824bc02064cee95b3927060103514ace681e"
                                + "82642726b083f0478aaed1b2bc0e5d9443c9d372a980672b694c87ccd6d3becc79ce4a3c08d2480f"
                                + "3868dd51f295602595e7c4cc0d400185b137cf812336624a8c72a281d467abf7e837773cbee99fc4"
                                + "50a6b8030b815550f3c2e7ee6c1a0bdfd5adf8158373d1d7731f4dd81c1e0a749e6e2d5ea649fafa"
                                + "f93d76f3973b5eade3bb40669983d035",
                        new double[] {
                            -23.10474, -26.0564, -22.85876, -27.28625, -21.87488, -13.15479,
                            -1.970734
                        },
                        2632.248108),
                Arguments.of(
                        BlockType.Q6_K,
                        "beaabaeffc58cf44af7c608e0f94b5ac4582793dec4eae5081cfcdbd8d848932eacda4aca344d0f1"
                                + "a21228af4cb86ca57931bd761cefc7f748b0cd380b91185b32a714a4869a9ea79b376a1b18d58a29"
                                + "9f7a35b1d71638d795b5a8a29ff5f9eef71f636085ae6854a7066ccc12d1840a52a7ab3153bd6131"
                                + "891df563103e2a28296545ccddb8b7d879d56661526f8207401198b63352951b81f7cd9ce4f1cb2b"
                                + "9e70e5f05b5573ad7b86defd8dafef9dd6d842b9c30440604b6310cf8c29ea1c83292227694d3a5c"
                                + "ebf97fb6742f497c4c22",
                        new double[] {
                            3.074646,
                            9.223938,
                            -43.04504,
                            -13.61453,
                            9.076355,
                            -0.5165405,
                            -45.75073
                        },
                        3570.291229),
                Arguments.of(
                        BlockType.IQ4_NL,
                        "4c22b8abeeab14cef599cc052535d5cec0ad",
                        new double[] {
                            0.0122986, 0.4673462, 0.8486023, 0.4673462, 0.3074646, 0.4673462,
                            0.3074646
                        },
                        22.358826),
                Arguments.of(
                        BlockType.IQ4_XS,
                        "4c22ec83760457a17c472a49ed10c2fa0a67ce0d8f02264785762462c423399232b39168ce358d21"
                                + "b527970bb48a4200a5627b0c90b818268101caff5536e4307fa901a76df710c04edc083cbdb54048"
                                + "08b9586fbf8a6343304464f943287f2d2133cee5d95535cc78861fd80e7fa01dd0a174645397c6a0"
                                + "adc1367e7e3976aa6b833bad348bb5a9",
                        new double[] {
                            -16.9474487,
                            3.1976318,
                            3.1976318,
                            3.1976318,
                            15.668396,
                            25.1752014,
                            3.074646
                        },
                        3530.898865));
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void blocksAreWhatGgmlMakesOfThem(
            BlockType type, String hex, double[] expected, double absoluteSum) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        assertThat(bytes).hasSize(type.bytes());
        float[] weights = Dequantizer.floats(type, MemorySegment.ofArray(bytes));
        int[] at = {0, 1, 15, 16, 31, weights.length / 2, weights.length - 1};
        for (int i = 0; i < at.length; i++) {
            assertThat((double) weights[at[i]]).isCloseTo(expected[i], within(1e-5));
        }
        double sum = 0;
        for (float weight : weights) {
            sum += Math.abs(weight);
        }
        assertThat(sum).isCloseTo(absoluteSum, within(1e-3));
    }
}
