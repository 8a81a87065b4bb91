package dev.penjing.inference;

import dev.penjing.inference.api.DraftUse;
import dev.penjing.inference.api.EngineLoad;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Generator;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.constraint.Constraints;
import dev.penjing.inference.constraint.GuidedDecoding;
import dev.penjing.inference.forward.ForwardPass;
import dev.penjing.inference.forward.Loading;
import dev.penjing.inference.forward.Transformer;
import dev.penjing.inference.forward.WeightSource;
import dev.penjing.inference.kernel.Team;
import dev.penjing.inference.scheduling.Scheduler;
import dev.penjing.inference.scheduling.Sequence;
import dev.penjing.inference.speculation.Drafter;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.identity.Arithmetic;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/// A model, ready to answer many requests at once. Thread-safe. Owns native memory and threads
/// until closed.
///
/// ```java
/// try (Engine engine = Engine.load(Path.of("model.gguf"), EngineOptions.DEFAULT, Progress.NONE)) {
///     System.out.println(engine.complete("Once upon a time", 100, Sampling.GREEDY));
/// }
/// ```
public final class Engine implements Generator, AutoCloseable {
    private static final int LONGEST = 4096;

    private final ModelConfig config;
    private final Tokenizer tokenizer;
    private final Team team;
    private final ForwardPass pass;
    private final Optional<Drafter> drafter;
    private final Scheduler scheduler;
    private final ExecutorService workers;
    private final String stored;
    private final TextConventions conventions;
    private final ChatForm form;
    private final PromptLimits limits;
    private final Constraints constraints;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Engine(
            WeightSource source,
            Optional<WeightSource> draft,
            EngineOptions options,
            Loading loading,
            Closer closer) {
        this.team = loading.team();
        this.tokenizer = source.tokenizer();
        this.stored = source.describe();
        this.config = source.config();
        if (tokenizer.vocabularySize() > config.vocabularySize()) {
            throw new PenjingException(
                    "the tokenizer has %d tokens, the model only %d: they do not belong together"
                            .formatted(tokenizer.vocabularySize(), config.vocabularySize()));
        }
        this.conventions = source.conventions(tokenizer);
        this.form = ChatForm.of(tokenizer, conventions);
        this.constraints =
                new Constraints(tokenizer, conventions.endIds(), config.vocabularySize());
        draft.ifPresent(d -> Drafter.check(config, tokenizer, d.config(), d.tokenizer()));
        long own = config.kvBytesPerToken(2);
        long perToken = own + draft.map(d -> d.config().kvBytesPerToken(2)).orElse(0L);
        long positions = cacheBytes(config, perToken, options) / perToken;
        int rows =
                options.chunk() + options.maxSequences() + (draft.isPresent() ? Drafter.ROWS : 0);
        pass = Transformer.load(source, positions * own, rows, loading);
        closer.own(pass, ForwardPass::close);
        drafter = draft.map(d -> drafter(d, options, loading));
        drafter.ifPresent(d -> closer.own(d, Drafter::close));
        int held = Math.toIntExact(Math.min(Integer.MAX_VALUE, tokensOf(pass)));
        limits =
                new PromptLimits(Math.min(contextOf(config, options), held), pass.vocabularySize());
        workers = GuidedDecoding.workers(team.members());
        closer.own(workers, ExecutorService::shutdownNow);
        scheduler = new Scheduler(pass, drafter, options.maxSequences(), options.chunk());
    }

    private Drafter drafter(WeightSource draft, EngineOptions options, Loading loading) {
        long bytes = pass.blocks() * draft.config().kvBytesPerToken(2) * pass.blockTokens();
        int rows = Math.max(options.chunk(), Drafter.MANY);
        Transformer small = Transformer.load(draft, bytes, rows, loading);
        return new Drafter(small, options.draftTokens());
    }

    /// @param path a `.gguf` file or a folder in Hugging Face form
    /// @throws PenjingException if there is no model there, or a damaged or unknown one; or if the
    ///   draft's tokens are not the model's
    public static Engine load(Path path, EngineOptions options, Progress progress) {
        return load(path, options, progress, () -> false);
    }

    /// The same, for those who may not wait for the end.
    ///
    /// @param cancelled is asked again and again, by many threads; soon after it is true, loading
    ///   ends with an exception
    /// @throws PenjingException if loading was cancelled, too
    public static Engine load(
            Path path, EngineOptions options, Progress progress, BooleanSupplier cancelled) {
        int threads = options.threads();
        try (Closer closer = new Closer()) {
            Team team =
                    new Team(threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
            closer.own(team, Team::close);
            Loading loading =
                    new Loading(
                            KernelChoice.open(options.kernels()),
                            team,
                            options.quantization(),
                            progress,
                            cancelled);
            Engine engine = load(path, options, loading, closer);
            closer.keep();
            return engine;
        }
    }

    private static Engine load(Path path, EngineOptions options, Loading loading, Closer closer) {
        try (WeightSource source = WeightSource.open(path, loading.cancelled())) {
            if (options.draft().isEmpty()) {
                return new Engine(source, Optional.empty(), options, loading, closer);
            }
            try (WeightSource draft =
                    WeightSource.open(options.draft().get(), loading.cancelled())) {
                return new Engine(source, Optional.of(draft), options, loading, closer);
            }
        }
    }

    /// Tokens that a key-value cache holds.
    private static long tokensOf(ForwardPass pass) {
        return (long) pass.blocks() * pass.blockTokens();
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
        long least = perToken * Transformer.BLOCK_TOKENS;
        return Math.max(least, Math.min(wish, memory / 4));
    }

    /// Kernel, width, threads, weight format and memory, in one line.
    public String describe() {
        String all =
                String.format(
                        Locale.ROOT,
                        "engine: %s, %d threads; weights %s (stored as %s), %.1f MB; keys and values: room for %,d tokens, %.1f MB",
                        arithmetic().kernels(),
                        team.members(),
                        quantization(),
                        stored,
                        pass.weightBytes() / 1e6,
                        tokensOf(pass),
                        cacheBytes() / 1e6);
        return drafter.map(d ->
                        String.format(
                                Locale.ROOT,
                                "%s; the draft: weights %.1f MB, keys and values %.1f MB",
                                all,
                                d.pass().weightBytes() / 1e6,
                                cacheBytes(d.pass()) / 1e6))
                .orElse(all);
    }

    private static long cacheBytes(ForwardPass pass) {
        return pass.blocks() * pass.blockBytes();
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    public ModelConfig config() {
        return config;
    }

    @Override
    public int contextLength() {
        return limits.context();
    }

    @Override
    public int vocabularySize() {
        return limits.vocabulary();
    }

    public int threads() {
        return team.members();
    }

    /// Bytes of the weights in memory, a draft's left out.
    public long weightBytes() {
        return pass.weightBytes();
    }

    /// Bytes of the weights that are read to answer with one token: over the memory's bytes a
    /// second, what limits a single answer's speed.
    public long weightBytesPerToken() {
        return pass.weightBytesPerToken();
    }

    /// Bytes for keys and values, a draft's left out.
    public long cacheBytes() {
        return cacheBytes(pass);
    }

    /// What the weights are computed in.
    public String quantization() {
        return arithmetic().type();
    }

    /// What makes its numbers what they are. A draft is not among it: it changes no token.
    public Arithmetic arithmetic() {
        return pass.arithmetic();
    }

    /// What begins and ends the model's texts: ids that end an answer, special tokens, BOS.
    public TextConventions conventions() {
        return conventions;
    }

    /// @throws PenjingException as declared, and if the request's constraint can be read in too
    ///   many ways
    @Override
    public Generation submit(Request request, Listener listener) {
        limits.check(request.prompt());
        Optional<GuidedDecoding> guided =
                request.constraint()
                        .map(constraint ->
                                new GuidedDecoding(
                                        constraints.begin(constraint), workers, scheduler::wake));
        Sequence sequence =
                new Sequence(
                        request,
                        listener,
                        tokenizer,
                        limits.context(),
                        conventions.endIds(),
                        guided);
        scheduler.submit(sequence);
        return sequence;
    }

    /// A conversation as ids to continue, in the model's own form, the assistant's turn begun. A
    /// special token that somebody wrote into a message is text.
    ///
    /// @param messages maps with `role` and `content`, and whatever else the template asks for
    /// @param more variables for the template, such as `tools`
    /// @throws PenjingException if the model has no chat template, or it refuses the messages
    public int[] chat(List<? extends Map<String, ?>> messages, Map<String, ?> more) {
        return form.chat(messages, more);
    }

    /// The same as text.
    public String render(List<? extends Map<String, ?>> messages, Map<String, ?> more) {
        return form.render(messages, more);
    }

    /// A plain text as ids to continue: it begins with BOS where the model's texts do, and once, if
    /// it is written there already.
    public int[] text(String text) {
        return form.text(text);
    }

    /// Ids to continue that begin with BOS, and once, where the model's texts do.
    public int[] begun(int[] ids) {
        return form.begun(ids);
    }

    /// Whether it can hold a conversation.
    public boolean hasChatTemplate() {
        return form.template().isPresent();
    }

    /// Whether its chat template asks for this variable, `tools` for example.
    public boolean chatTemplateAsksFor(String variable) {
        return form.asksFor(variable);
    }

    /// How likely the model thinks each token of a text behind the first, given all before it, with
    /// the `top` likeliest tokens at each place.
    ///
    /// @throws PenjingException as `submit`
    public List<LogProbabilities> score(int[] ids, int top) {
        return model().logProbabilities(ids, top);
    }

    /// The continuation of a text, which begins with BOS where the model's texts do.
    ///
    /// @throws PenjingException if it failed, or the engine was closed meanwhile
    public String complete(String prompt, int maxNewTokens, Sampling sampling) {
        StringBuilder text = new StringBuilder();
        Request request = Request.of(form.text(prompt), maxNewTokens, sampling);
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
        return switch (finish.reason()) {
            case STOP, LENGTH -> text.toString();
            case CANCELLED, DEAD_END, FAILED -> throw finish.failure();
        };
    }

    /// The engine as something to measure.
    public LanguageModel languageModel() {
        return model();
    }

    private EngineModel model() {
        return new EngineModel(this, tokenizer, scheduler, pass.blockTokens(), limits);
    }

    /// Whether it still answers: false once it was closed, or failed beyond mending.
    public boolean alive() {
        return scheduler.alive();
    }

    /// What the scheduler holds, for tests and metrics.
    public EngineLoad load() {
        return scheduler.load();
    }

    @Override
    public void draft(DraftUse use) {
        drafter.ifPresent(d -> d.use(use));
    }

    @Override
    public boolean hasDraft() {
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
        workers.shutdownNow();
        team.close();
        drafter.ifPresent(Drafter::close);
        pass.close();
    }
}
