package dev.penjing.inference;

import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.Team;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A small model that proposes what a large one, the target, may say next (Leviathan et al. 2023).
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
/// Used by the scheduler's thread. Owns native memory until closed.
final class Drafter implements AutoCloseable {
    /// When there are proposals; where there are, [Proposals] decides how many.
    enum Use {
        NEVER,
        WORTHWHILE,
        ALWAYS
    }

    /// The most proposals of all sequences in a step.
    static final int ROWS = 8;

    /// More sequences than these fill a pass well enough: rows cost arithmetic, and only the
    /// reading of the weights, which they share, is saved.
    static final int MANY = 4;

    private final Weights weights;
    private final KeyValuePool pool;
    private final BlockManager manager;
    private final Transformer transformer;
    private final Batch batch;
    private final int most;
    private final int vocabulary;
    private final int context;
    private long proposed;
    private long accepted;
    private volatile Use use = Use.WORTHWHILE;

    /// By the number of sequences that run.
    private final DraftGain[] gains = new DraftGain[MANY + 1];

    /// What the step under way says something about, and its kind.
    private Optional<DraftGain> measured = Optional.empty();

    private DraftGain.Round kind = DraftGain.Round.WITHOUT;

    private Drafter(
            Weights weights, KeyValuePool pool, EngineOptions options, Kernels kernels, Team team) {
        this.weights = weights;
        this.pool = pool;
        this.manager = new BlockManager(pool.blocks());
        int rows = Math.max(options.chunk(), MANY);
        this.transformer = new Transformer(weights, kernels, team, pool, rows);
        this.batch = new Batch(rows);
        this.most = options.draftTokens();
        this.vocabulary = weights.config().vocabularySize();
        this.context = weights.config().maxPositionEmbeddings();
        Arrays.setAll(gains, i -> new DraftGain());
    }

    /// @param blocks of keys and values, as many as the target has
    static Drafter load(
            WeightSource source,
            EngineOptions options,
            int blocks,
            Kernels kernels,
            Team team,
            Progress progress) {
        ModelConfig config = source.config();
        KeyValuePool pool =
                new KeyValuePool(config, blocks * config.kvBytesPerToken(2) * KeyValuePool.BLOCK);
        Weights weights =
                Weights.load(source, options.quantization(), kernels.lanes(), team, progress);
        return new Drafter(weights, pool, options, kernels, team);
    }

    /// @throws UsageException if the draft's tokens are not the target's
    static void check(WeightSource target, WeightSource draft) {
        Tokenizer mine = target.tokenizer();
        Tokenizer other = draft.tokenizer();
        int size = target.config().vocabularySize();
        int otherSize = draft.config().vocabularySize();
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
    boolean fits(Sequence sequence) {
        return sequence.blocksNeeded(context) <= manager.available();
    }

    void admit(Sequence sequence) {
        sequence.admitDraft(context, manager);
    }

    void release(Sequence sequence) {
        sequence.draft.cache.release(manager);
    }

    /// Proposes tokens for the answers among the sequences, if that is worth its time.
    void propose(List<Sequence> running) {
        running.forEach(s -> s.draft.clear());
        measured = Optional.empty();
        int count = running.size();
        if (count > MANY || use == Use.NEVER) {
            return;
        }
        boolean busy =
                (use == Use.ALWAYS || gains[count].drafting())
                        && propose(running, Math.min(most, ROWS / count));
        if (running.stream().allMatch(Sequence::decoding)) {
            measured = Optional.of(gains[count]);
            boolean proposed = running.stream().anyMatch(s -> s.draft.count() > 0);
            kind =
                    proposed
                            ? DraftGain.Round.WITH
                            : busy ? DraftGain.Round.CATCHING_UP : DraftGain.Round.WITHOUT;
        }
    }

    /// Ends the step that [#propose] began.
    ///
    /// @param tokens that all sequences drew
    void took(int tokens, long nanos) {
        measured.ifPresent(gain -> gain.took(kind, tokens, nanos));
    }

    /// The answers' tokens, and a chunk of prompts, go through the draft for it. A draft that fell
    /// behind, while it rested or too many sequences ran, catches up chunk by chunk.
    ///
    /// @return whether the draft had anything to do
    private boolean propose(List<Sequence> running, int depth) {
        batch.clear();
        List<Sequence> ready = new ArrayList<>();
        for (Sequence s : running) {
            if (s.decoding()) {
                s.draft.plan(Math.min(depth, s.draftRoom(context)));
                if (s.draft.wanting() && s.fillDraft(batch, manager)) {
                    ready.add(s);
                }
            }
        }
        for (Sequence s : running) {
            // of an answer's first two tokens none is proposed: the first comes of the prompt
            if (!s.decoding() && s.draftRoom(context) > 1) {
                s.fillDraft(batch, manager);
            }
        }
        boolean busy = batch.rows() > 0;
        while (batch.rows() > 0) {
            float[] logits = transformer.forward(batch);
            for (int i = 0; i < ready.size(); i++) {
                Sequence s = ready.get(i);
                s.propose(logits, i * transformer.logitsStride(), vocabulary);
            }
            ready.removeIf(s -> !s.draft.wanting());
            batch.clear();
            ready.forEach(s -> s.fillProposal(batch));
        }
        return busy;
    }

    /// After the first `matches` proposals turned out to be what the target drew.
    void settle(Sequence sequence, int matches) {
        proposed += sequence.draft.count();
        accepted += matches;
        sequence.settle(matches, manager);
    }

    void use(Use use) {
        this.use = use;
    }

    Engine.DraftLoad load() {
        return new Engine.DraftLoad(proposed, accepted, manager.available(), manager.total());
    }

    long weightBytes() {
        return weights.bytes();
    }

    long cacheBytes() {
        return pool.blocks() * pool.blockBytes();
    }

    @Override
    public void close() {
        pool.close();
        weights.close();
    }
}
