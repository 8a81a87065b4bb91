package dev.penjing.evaluation.code;

/// Runs Python programs that nobody has read, each as if it were the first. Many threads may ask at
/// once.
public interface CodeRunner extends AutoCloseable {
    /// Runs `program` to its end or to the runner's limits of time, memory and output. Never throws
    /// for what the program does.
    ///
    /// @throws dev.penjing.model.PenjingException if no program can be run at all
    Outcome run(String program);

    @Override
    void close();

    /// @param passed whether the program ended by itself and raised nothing; `sys.exit(0)` raises
    ///   SystemExit
    /// @param reason why it did not pass, in a line: `AssertionError`, `timed out after 10 s`;
    ///   empty if it passed. It may hold the program's own words
    record Outcome(boolean passed, String reason) {
        static final Outcome PASSED = new Outcome(true, "");

        static Outcome failed(String reason) {
            return new Outcome(false, reason);
        }
    }
}
