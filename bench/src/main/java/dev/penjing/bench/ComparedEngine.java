package dev.penjing.bench;

import dev.penjing.inference.Engine;
import dev.penjing.inference.measuring.SpeedTest;

/// An engine that is asked what the others are.
sealed interface ComparedEngine permits ComparedEngine.Ours, LlamaPython, LlamaPrograms {
    String name();

    /// Tokens/s.
    double prompt(int tokens) throws Exception;

    /// Tokens/s of all sequences together.
    double answers(int sequences, int tokens) throws Exception;

    /// Our own.
    record Ours(String name, Engine engine) implements ComparedEngine {
        @Override
        public double prompt(int tokens) throws Exception {
            return SpeedTest.prompt(engine, tokens);
        }

        @Override
        public double answers(int sequences, int tokens) throws Exception {
            return SpeedTest.answers(engine, sequences, tokens);
        }
    }
}
