package dev.penjing.inference;

import dev.penjing.inference.constraint.Constraints;
import dev.penjing.inference.constraint.Matcher;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.Team;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.identity.Arithmetic;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.template.ChatTemplate;
import dev.penjing.model.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/// A model, ready to answer many requests at once. Thread-safe. Owns native memory and threads
/// until closed.
///
/// ```java
/// try (Engine engine = Engine.load(Path.of("model.gguf"), EngineOptions.DEFAULT, Progress.NONE)) {
///     System.out.println(engine.complete("Once upon a time", 100, Sampling.GREEDY));
/// }
/// ```
public final class Engine implements AutoCloseable {
    /// Texts that end an answer in any model that has them, whatever its files say.
    private static final List<String> ENDS =
            List.of("<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "</s>");

    private static final int LONGEST = 4096;

    private final Weights weights;
    private final Tokenizer tokenizer;
    private final Kernels kernels;
    private final Team team;
    private final KeyValuePool pool;
    private final Optional<Drafter> drafter;
    private final Scheduler scheduler;
    private final String stored;
    private final Set<Integer> ends = new HashSet<>();
    private final boolean beginsTexts;
    private final Optional<ChatTemplate> template;
    private final Map<String, Object> specials = new HashMap<>();
    private final int context;
    private final Constraints constraints;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Engine(
            WeightSource source,
            Optional<WeightSource> draft,
            EngineOptions options,
            Kernels kernels,
            Team team,
            Progress progress) {
        this.kernels = kernels;
        this.team = team;
        this.tokenizer = source.tokenizer();
        this.stored = source.describe();
        ModelConfig config = source.config();
        if (tokenizer.vocabularySize() > config.vocabularySize()) {
            throw new PenjingException(
                    "the tokenizer has %d tokens, the model only %d: they do not belong together"
                            .formatted(tokenizer.vocabularySize(), config.vocabularySize()));
        }
        for (String end : ENDS) {
            OptionalInt id = tokenizer.id(end);
            id.ifPresent(ends::add);
        }
        ends.addAll(source.ends());
        beginsTexts = source.beginsTexts();
        constraints = new Constraints(tokenizer, ends, config.vocabularySize());
        template = source.chatTemplate();
        for (String name : List.of("bos", "eos", "pad", "unk")) {
            specials.put(name + "_token", source.special(name));
        }
        draft.ifPresent(d -> Drafter.check(source, d));
        long own = config.kvBytesPerToken(2);
        long perToken = own + draft.map(d -> d.config().kvBytesPerToken(2)).orElse(0L);
        long positions = cacheBytes(config, perToken, options) / perToken;
        // before the weights: it fails without having taken memory
        pool = new KeyValuePool(config, positions * own);
        weights = Weights.load(source, options.quantization(), kernels.lanes(), team, progress);
        try {
            drafter =
                    draft.map(
                            d -> Drafter.load(d, options, pool.blocks(), kernels, team, progress));
        } catch (RuntimeException | Error e) {
            weights.close();
            throw e;
        }
        context =
                (int)
                        Math.min(
                                contextOf(config, options),
                                (long) pool.blocks() * KeyValuePool.BLOCK);
        int rows =
                options.chunk() + options.maxSequences() + (draft.isPresent() ? Drafter.ROWS : 0);
        Transformer transformer = new Transformer(weights, kernels, team, pool, rows);
        scheduler =
                new Scheduler(
                        this,
                        transformer,
                        new BlockManager(pool.blocks()),
                        drafter,
                        config.vocabularySize(),
                        rows,
                        options);
    }

    /// @param path a `.gguf` file or a folder in Hugging Face form
    /// @throws PenjingException if there is no model there, or a damaged or unknown one; or if the
    ///   draft's tokens are not the model's
    public static Engine load(Path path, EngineOptions options, Progress progress) {
        int threads = options.threads();
        Team team = new Team(threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
        try (WeightSource source = WeightSource.open(path)) {
            if (options.draft().isEmpty()) {
                return new Engine(
                        source, Optional.empty(), options, Kernels.best(), team, progress);
            }
            try (WeightSource draft = WeightSource.open(options.draft().get())) {
                return new Engine(
                        source, Optional.of(draft), options, Kernels.best(), team, progress);
            }
        } catch (RuntimeException e) {
            team.close();
            throw e;
        }
    }

    private static int contextOf(ModelConfig config, EngineOptions options) {
        int own = config.maxPositionEmbeddings();
        return options.maxContext() > 0 ? Math.min(own, options.maxContext()) : own;
    }

    private static long cacheBytes(ModelConfig config, long perToken, EngineOptions options) {
        if (options.cacheBytes() > 0) {
            return options.cacheBytes();
        }
        long positions = 8L * Math.min(contextOf(config, options), LONGEST);
        long wish = perToken * positions;
        java.lang.management.OperatingSystemMXBean system =
                java.lang.management.ManagementFactory.getOperatingSystemMXBean();
        long memory =
                system instanceof com.sun.management.OperatingSystemMXBean known
                        ? known.getTotalMemorySize()
                        : 4L << 30;
        long least = perToken * KeyValuePool.BLOCK;
        return Math.max(least, Math.min(wish, memory / 4));
    }

    /// Kernel, width, threads, quantisation and memory, in one line.
    public String describe() {
        String all = describeModel();
        return drafter.map(d ->
                        String.format(
                                Locale.ROOT,
                                "%s; the draft: weights %.1f MB, keys and values %.1f MB",
                                all,
                                d.weightBytes() / 1e6,
                                d.cacheBytes() / 1e6))
                .orElse(all);
    }

    private String describeModel() {
        return String.format(
                Locale.ROOT,
                "engine: %s, %d threads; weights %s (stored as %s), %.1f MB; keys and values: room for %,d tokens, %.1f MB",
                kernels.describe(),
                team.members(),
                weights.quantization(),
                stored,
                weights.bytes() / 1e6,
                (long) pool.blocks() * KeyValuePool.BLOCK,
                pool.blocks() * pool.blockBytes() / 1e6);
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    public ModelConfig config() {
        return weights.config();
    }

    /// The most tokens that one sequence may have, prompt and answer.
    public int contextLength() {
        return context;
    }

    public int threads() {
        return team.members();
    }

    /// Bytes of the weights in memory, a draft's left out.
    public long weightBytes() {
        return weights.bytes();
    }

    /// Bytes of the weights that are read to answer with one token: over the memory's bytes a
    /// second, what limits a single answer's speed.
    public long weightBytesPerToken() {
        return weights.bytesPerToken();
    }

    double logSumExp(float[] logits) {
        return kernels.logSumExp(logits, 0, logits.length);
    }

    /// Bytes for keys and values, a draft's left out.
    public long cacheBytes() {
        return pool.blocks() * pool.blockBytes();
    }

    /// What the weights are computed in.
    public String quantization() {
        return String.valueOf(weights.quantization());
    }

    /// What makes its numbers what they are. A draft is not among it: it changes no token.
    public Arithmetic arithmetic() {
        return Arithmetic.here("penjing", kernels.describe(), quantization(), "cpu");
    }

    /// Ids that end an answer.
    public Set<Integer> ends() {
        return Collections.unmodifiableSet(ends);
    }

    /// How a special token is written: `bos`, `eos`, `pad` or `unk`; empty if there is none.
    public String special(String name) {
        return String.valueOf(specials.getOrDefault(name + "_token", ""));
    }

    /// Whether the model's texts begin with its `bos` token unless one asks for a plain text.
    public boolean beginsTexts() {
        return beginsTexts;
    }

    boolean isEnd(int id) {
        return ends.contains(id);
    }

    /// Starts a request.
    ///
    /// @throws PenjingException if the prompt does not fit into the context, or holds an id outside
    ///   of the vocabulary
    public Generation submit(Request request, Listener listener) {
        check(request.prompt());
        Optional<Matcher> form = request.constraint().map(constraints::begin);
        Sequence sequence = new Sequence(request, listener, tokenizer, context, form);
        scheduler.submit(sequence);
        return sequence;
    }

    void check(int[] prompt) {
        if (prompt.length >= context) {
            throw new PenjingException(
                    "%d tokens leave no room in the context of %d: give less text"
                            .formatted(prompt.length, context));
        }
        checkIds(prompt);
    }

    void checkIds(int[] ids) {
        for (int id : ids) {
            if (id < 0 || id >= config().vocabularySize()) {
                throw new PenjingException(
                        "token id %d is outside the vocabulary of %d"
                                .formatted(id, config().vocabularySize()));
            }
        }
    }

    /// A conversation as ids to continue, in the model's own form, the assistant's turn begun.
    ///
    /// @param messages maps with `role` and `content`, and whatever else the template asks for
    /// @param more variables for the template, such as `tools`
    /// @throws PenjingException if the model has no chat template, or it refuses the messages
    public int[] chat(List<? extends Map<String, ?>> messages, Map<String, ?> more) {
        return tokenizer.encode(render(messages, more));
    }

    /// The same as text.
    public String render(List<? extends Map<String, ?>> messages, Map<String, ?> more) {
        ChatTemplate chat =
                template.orElseThrow(() ->
                        new PenjingException(
                                "this model has no chat template: it continues text, but holds no conversation"));
        Map<String, Object> variables = new HashMap<>(specials);
        variables.put("messages", messages);
        variables.put("add_generation_prompt", true);
        variables.putAll(more);
        return chat.render(variables);
    }

    /// Whether it can hold a conversation.
    public boolean hasChatTemplate() {
        return template.isPresent();
    }

    /// Whether its chat template asks for this variable, `tools` for example.
    public boolean chatTemplateAsksFor(String variable) {
        return template.map(t -> t.source().contains(variable)).orElse(false);
    }

    /// How likely the model thinks each token of a text behind the first, given all before it, with
    /// the `top` likeliest tokens at each place.
    ///
    /// @throws PenjingException as `submit`
    public List<LogProbabilities> score(int[] ids, int top) {
        return new EngineModel(this, scheduler).logProbabilities(ids, top);
    }

    /// The continuation of a text.
    public String complete(String prompt, int maxNewTokens, Sampling sampling) {
        StringBuilder text = new StringBuilder();
        Request request = Request.of(tokenizer.encode(prompt), maxNewTokens, sampling);
        Finish finish =
                submit(
                                request,
                                new Listener() {
                                    @Override
                                    public void token(
                                            int id, String piece, Optional<LogProbabilities> p) {
                                        text.append(piece);
                                    }

                                    @Override
                                    public void finished(Finish finish, String rest) {
                                        text.append(rest);
                                    }
                                })
                        .awaitEnd();
        if (finish.reason() == Finish.Reason.FAILED) {
            throw new PenjingException("the engine was closed, or failed");
        }
        return text.toString();
    }

    /// The engine as something to measure.
    public LanguageModel languageModel() {
        return new EngineModel(this, scheduler);
    }

    /// Whether it still answers: false once it was closed, or failed beyond mending.
    public boolean alive() {
        return scheduler.alive();
    }

    /// What the scheduler holds, for tests and metrics.
    public Load load() {
        return scheduler.load();
    }

    /// @param running sequences
    /// @param waiting requests
    /// @param freeBlocks of keys and values, those that hold a known beginning counted
    public record Load(int running, int waiting, int freeBlocks, int blocks, DraftLoad draft) {}

    /// What a draft did since the engine was loaded.
    ///
    /// @param proposed tokens that the model looked at
    /// @param accepted of these, those behind which an answer went on
    public record DraftLoad(long proposed, long accepted, int freeBlocks, int blocks) {
        static final DraftLoad NONE = new DraftLoad(0, 0, 0, 0);
    }

    /// When the draft proposes anything, from the next step on; does nothing without a draft.
    void drafting(Drafter.Use use) {
        drafter.ifPresent(d -> d.use(use));
    }

    boolean hasDraft() {
        return drafter.isPresent();
    }

    /// Ends all answers and frees all memory. Harmless the second time. Not to be called by a
    /// listener.
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        scheduler.close();
        team.close();
        drafter.ifPresent(Drafter::close);
        pool.close();
        weights.close();
    }
}
