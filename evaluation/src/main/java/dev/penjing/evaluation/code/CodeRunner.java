package dev.penjing.evaluation.code;

/// Runs Python programs that nobody has read, one after the other, each as if it were the first.
public interface CodeRunner extends AutoCloseable {
    /// Runs `program` to its end or to the runner's limits of time, memory and output. Never throws
    /// for what the program does.
    ///
    /// @throws dev.penjing.model.PenjingException if no program can be run at all
    Outcome run(String program);

    @Override
    void close();

    /// @param passed whether the program ended by itself and raised nothing
    /// @param reason why it did not pass, in a line: `AssertionError`, `timed out after 3 s`; empty
    ///   if it passed
    record Outcome(boolean passed, String reason) {}
}
