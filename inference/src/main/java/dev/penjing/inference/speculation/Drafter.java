package dev.penjing.inference.speculation;

import dev.penjing.inference.api.DraftLoad;
import dev.penjing.inference.api.DraftUse;
import dev.penjing.inference.cache.BlockManager;
import dev.penjing.inference.forward.Batch;
import dev.penjing.inference.forward.ForwardPass;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Speculative decoding (Leviathan et al. 2023): a small model, the draft, proposes what a large
/// one, the target, may say next.
///
/// The target computes the proposals of a sequence behind its last token, all in one pass, and the
/// sequence draws its tokens from the target's logits as it would without a draft, row after row,
/// as long as what it drew is what was proposed. A row's logits do not depend, bit for bit, on what
/// else is in the batch; so a draft changes how many tokens come of a pass, and nothing else: the
/// same seed gives the same text, greedy or not, with penalties or without. (This is rejection
/// sampling with all of the draft's probability on one token. Drawing from the draft's distribution
/// would have more proposals accepted at high temperatures, but the text would depend on the draft
/// and on what else runs.)
///
/// Under a constraint, what is proposed is what the constraint allows: the masks are those that the
/// sequence needs anyway if the proposals turn out right.
///
/// Keys and values behind the last accepted token are overwritten by what comes there.
///
/// Whether that is faster, the clock says ([DraftGain]): a draft that costs more than it saves
/// rests, but for a few rounds in a hundred.
///
/// Used by the scheduler's thread. Owns the draft model until closed.
public final class Drafter implements AutoCloseable {
    /// The most proposals of all sequences in a step.
    public static final int ROWS = 8;

    /// More sequences than these fill a pass well enough: rows cost arithmetic, and only the
    /// reading of the weights, which they share, is saved.
    public static final int MANY = 4;

    private final ForwardPass pass;
    private final BlockManager manager;
    private final Batch batch;
    private final int most;
    private long proposed;
    private long accepted;
    private volatile DraftUse use = DraftUse.WORTHWHILE;

    /// By the number of sequences that run.
    private final DraftGain[] gains = new DraftGain[MANY + 1];

    /// What the step under way says something about, and its kind.
    private Optional<DraftGain> measured = Optional.empty();

    private DraftGain.Round kind = DraftGain.Round.WITHOUT;

    /// @param pass of the draft model, closed with this; its cache has as many blocks as the
    ///   target's
    /// @param most proposals of a sequence at a time
    public Drafter(ForwardPass pass, int most) {
        this.pass = pass;
        this.manager = new BlockManager(pass.blocks(), pass.blockTokens());
        this.batch = new Batch(pass.maxRows());
        this.most = most;
        Arrays.setAll(gains, i -> new DraftGain());
    }

    /// @throws UsageException if the draft's tokens are not the target's
    public static void check(
            ModelConfig target, Tokenizer mine, ModelConfig draft, Tokenizer other) {
        int size = target.vocabularySize();
        int otherSize = draft.vocabularySize();
        if (size != otherSize || mine.vocabularySize() != other.vocabularySize()) {
            throw new UsageException(
                    "the draft has a vocabulary of %d, the model one of %d: give a draft with the model's own tokens, such as a student of it"
                            .formatted(otherSize, size));
        }
        for (int id = 0; id < mine.vocabularySize(); id++) {
            if (mine.isSpecial(id) != other.isSpecial(id)
                    || !Arrays.equals(mine.bytes(id), other.bytes(id))) {
                throw new UsageException(
                        "token %d is not the same in the draft and in the model: give a draft with the model's own tokens, such as a student of it"
                                .formatted(id));
            }
        }
    }

    /// Whether there are blocks for the sequence.
    public boolean fits(DraftTarget sequence) {
        int needed = sequence.draft().blocksNeeded(pass.contextLength(), manager);
        return needed <= manager.available();
    }

    /// Gives a sequence its blocks.
    public void admit(DraftTarget sequence) {
        sequence.draft().admit(pass.contextLength(), manager);
    }

    /// Takes them back.
    public void release(DraftTarget sequence) {
        sequence.draft().release(manager);
    }

    /// Proposes tokens for the answers among the sequences, if that is worth its time.
    public void propose(List<? extends DraftTarget> running) {
        running.forEach(s -> s.draft().clear());
        measured = Optional.empty();
        int count = running.size();
        if (count == 0 || count > MANY || use == DraftUse.NEVER) {
            return;
        }
        boolean busy =
                (use == DraftUse.ALWAYS || gains[count].drafting())
                        && propose(running, Math.min(most, ROWS / count));
        if (running.stream().allMatch(DraftTarget::decoding)) {
            measured = Optional.of(gains[count]);
            boolean proposed = running.stream().anyMatch(s -> s.draft().count() > 0);
            kind =
                    proposed
                            ? DraftGain.Round.WITH
                            : busy ? DraftGain.Round.CATCHING_UP : DraftGain.Round.WITHOUT;
        }
    }

    /// Ends the step that [#propose] began.
    ///
    /// @param tokens that all sequences drew
    public void took(int tokens, long nanos) {
        measured.ifPresent(gain -> gain.took(kind, tokens, nanos));
    }

    /// For the proposals, the answers' tokens and a chunk of prompts go through the draft model. A
    /// draft that fell behind, while it rested or too many sequences ran, catches up chunk by
    /// chunk.
    ///
    /// @return whether the draft had anything to do
    private boolean propose(List<? extends DraftTarget> running, int depth) {
        batch.clear();
        int context = pass.contextLength();
        List<Draft> ready = new ArrayList<>();
        for (DraftTarget s : running) {
            if (s.decoding()) {
                Draft draft = s.draft();
                draft.plan(Math.min(depth, draft.room(context)));
                if (draft.wanting() && draft.fill(batch, manager)) {
                    ready.add(draft);
                }
            }
        }
        for (DraftTarget s : running) {
            // of an answer's first two tokens none is proposed: the first comes of the prompt
            if (!s.decoding() && s.draft().room(context) > 1) {
                s.draft().fill(batch, manager);
            }
        }
        boolean busy = batch.rows() > 0;
        while (batch.rows() > 0) {
            float[] logits = pass.forward(batch);
            for (int i = 0; i < ready.size(); i++) {
                ready.get(i).propose(logits, i * pass.logitsStride(), pass.vocabularySize());
            }
            ready.removeIf(draft -> !draft.wanting());
            batch.clear();
            ready.forEach(draft -> draft.fillProposal(batch));
        }
        return busy;
    }

    /// After the first `matches` proposals turned out to be what the target drew.
    public void settle(DraftTarget sequence, int matches) {
        proposed += sequence.draft().count();
        accepted += matches;
        sequence.draft().settle(matches, manager);
    }

    /// When to propose, from the next step on. Thread-safe.
    public void use(DraftUse use) {
        this.use = use;
    }

    public DraftLoad load() {
        return new DraftLoad(proposed, accepted, manager.available(), manager.total());
    }

    /// What computes the proposals.
    public ForwardPass pass() {
        return pass;
    }

    @Override
    public void close() {
        pass.close();
    }
}
