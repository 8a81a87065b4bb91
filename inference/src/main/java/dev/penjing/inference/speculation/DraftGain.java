package dev.penjing.inference.speculation;

/// Whether a draft is worth its time, by the clock: rounds with it against rounds without, in
/// tokens a second. The faster way is kept for a while, then the other is tried again, as texts,
/// load and the state of the compiled code change. None of it changes the text. Used by one thread.
final class DraftGain {
    /// What a draft did in a round.
    enum Round {
        WITHOUT,
        /// It read what it had missed and proposed nothing: neither way's time.
        CATCHING_UP,
        WITH
    }

    /// Rounds of a trial of the slower way.
    static final int TRIAL = 8;

    /// Rounds of the faster way between two trials, at first and at most: the more trials said the
    /// same, the longer. (In a trial of a draft that rested, it reads all of a text that it
    /// missed.)
    static final int STRETCH = 60;

    static final int LONGEST = 480;

    private final Rate with = new Rate();
    private final Rate without = new Rate();
    private boolean worthwhile = true;
    private int stretch = STRETCH;

    /// Of a stretch and the trial behind it.
    private int round;

    /// Whether the next round is to have proposals.
    boolean drafting() {
        boolean trying = round >= stretch;
        return trying != worthwhile;
    }

    /// Ends a round.
    ///
    /// @param tokens that came of it
    void took(Round kind, int tokens, long nanos) {
        // the first rounds after a change pay for it: the draft reads what it missed
        if (round != 0 && round != stretch && kind != Round.CATCHING_UP) {
            (kind == Round.WITH ? with : without).add(tokens, nanos);
        }
        round++;
        if (round == stretch + TRIAL) {
            round = 0;
            // true, too, as long as one of them is not known
            boolean now = !(with.perNano() < without.perNano());
            stretch = now == worthwhile ? Math.min(2 * stretch, LONGEST) : STRETCH;
            worthwhile = now;
        }
    }

    /// Tokens over time, of the last ten rounds or so.
    private static final class Rate {
        private static final double MEMORY = 0.9;

        private double rounds;
        private double tokens;
        private double nanos;

        void add(int count, long time) {
            // a round in which the system did something else says little
            double usual = rounds > 1 ? Math.min(time, 4 * nanos / rounds) : time;
            rounds = MEMORY * rounds + 1;
            tokens = MEMORY * tokens + count;
            nanos = MEMORY * nanos + usual;
        }

        /// Not a number as long as there was no round.
        double perNano() {
            return tokens / nanos;
        }
    }
}
