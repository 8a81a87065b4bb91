package dev.penjing.inference.constraint;

import java.util.ArrayList;
import java.util.List;

/// Where one way through a grammar is: a node, below it the nodes to return to. Immutable, compared
/// by what it holds.
final class ParserStack {
    /// The whole grammar is behind.
    static final ParserStack EMPTY = new ParserStack();

    final int node;

    /// How often a loop's body has begun; 0 in a frame that a call left. So a rule's own frames are
    /// the topmost, and those below it that count.
    final int count;

    final ParserStack below;
    private final int hash;

    /// Whether this frame or one below counts.
    private final boolean counted;

    private ParserStack() {
        node = -1;
        count = 0;
        below = this;
        hash = 17;
        counted = false;
    }

    private ParserStack(int node, int count, ParserStack below) {
        this.node = node;
        this.count = count;
        this.below = below;
        // mixed well: states are sorted by it
        int h = (below.hash * 31 + node) * 0x9e3779b1 + count;
        this.hash = (h ^ h >>> 15) * 0x85ebca6b;
        this.counted = count > 0 || below.counted;
    }

    ParserStack push(int node, int count) {
        return new ParserStack(node, count, this);
    }

    /// What lies below the frames of the topmost rule.
    ParserStack caller() {
        ParserStack at = below;
        while (at.count > 0) {
            at = at.below;
        }
        return at;
    }

    /// The frames of the topmost rule alone.
    ParserStack local() {
        return onto(caller(), EMPTY);
    }

    private ParserStack onto(ParserStack end, ParserStack other) {
        return this == end ? other : below.onto(end, other).push(node, count);
    }

    /// The same, every loop's count set to the smallest that makes no difference to the next
    /// `bytes` bytes.
    ParserStack clamped(Grammar grammar, int bytes) {
        if (!counted) {
            return this;
        }
        List<ParserStack> frames = new ArrayList<>();
        for (ParserStack at = this; at.counted; at = at.below) {
            frames.add(at);
        }
        ParserStack result = frames.getLast().below;
        for (ParserStack frame : frames.reversed()) {
            int count = frame.count;
            if (count > 0 && grammar.node(frame.node) instanceof Grammar.Loop loop) {
                if (loop.min() - count > bytes) {
                    count = loop.min() - bytes - 1;
                } else if (count > loop.min() && loop.max() - count > bytes) {
                    count = Math.max(1, loop.min());
                }
            }
            boolean same = result == frame.below && count == frame.count;
            result = same ? frame : result.push(frame.node, count);
        }
        return result;
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof ParserStack stack) || hash != stack.hash) {
            return false;
        }
        ParserStack mine = this;
        while (mine != stack) {
            if (mine.node != stack.node || mine.count != stack.count) {
                return false;
            }
            if (mine == EMPTY || stack == EMPTY) {
                return false;
            }
            mine = mine.below;
            stack = stack.below;
        }
        return true;
    }
}
