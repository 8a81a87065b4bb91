package dev.penjing.model;

/// Where a long job says how far it is. Implementations are cheap to call often; they decide
/// themselves how much to show.
@FunctionalInterface
public interface Progress {
    /// A job that nobody watches.
    Progress NONE = (what, done, total, note) -> {};

    /// @param what the stage, in a word or two: `distill`
    /// @param done units done so far
    /// @param total units in all, or 0 when that is not known
    /// @param note what else to show, such as `loss 1.234 5,120 tokens/s`; may be empty
    void update(String what, long done, long total, String note);
}
