package dev.penjing.evaluation;

import dev.penjing.evaluation.metrics.LogLikelihoods;
import dev.penjing.model.Progress;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import dev.penjing.model.tokenizer.StreamingDecoder;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/// Asks a model, a slice of the questions at a time. Slices depend on the questions alone, and one
/// of which anything is missing in the cache is computed whole: what is computed beside a text may
/// change its rounding, so a run that was stopped comes to the same numbers as one that was not.
final class RequestRunner {
    /// About as many characters that no other text of the slice begins with, and texts at most.
    private static final int SLICE_CHARACTERS = 32_768;

    private static final int SLICE_TEXTS = 512;
    private static final int SLICE_PROMPTS = 64;

    private final Subject subject;
    private final ResultCache cache;
    private final long seed;
    private final Encoder encoder;
    private long tokens;
    private long requests;

    RequestRunner(Subject subject, ResultCache cache, long seed) {
        this.subject = subject;
        this.cache = cache;
        this.seed = seed;
        this.encoder =
                Encoder.of(
                        subject.model().tokenizer(),
                        subject.begins(),
                        subject.bos(),
                        subject.eos(),
                        subject.model().contextLength());
    }

    /// Tokens of all requests that the model was given so far, those written included.
    long tokens() {
        return tokens;
    }

    long requests() {
        return requests;
    }

    /// The log-likelihood of each context's or choice's continuation, by question.
    List<double[]> likelihoods(
            List<Evaluation.Question> questions,
            List<List<String>> continuations,
            Progress progress) {
        // what begins alike comes together
        List<Integer> order =
                IntStream.range(0, questions.size())
                        .boxed()
                        .sorted(Comparator.comparing(i -> questions.get(i).contexts().getFirst()))
                        .toList();
        double[][] results = new double[questions.size()][];
        Meter meter = new Meter(progress, questions.size());
        for (int at = 0; at < order.size(); ) {
            int end = sliceEnd(questions, continuations, order, at);
            score(questions, continuations, order.subList(at, end), results, meter);
            meter.done(end);
            at = end;
        }
        return List.of(results);
    }

    private static int sliceEnd(
            List<Evaluation.Question> questions,
            List<List<String>> continuations,
            List<Integer> order,
            int from) {
        int characters = 0;
        int texts = 0;
        String before = "";
        int end = from;
        while (end < order.size() && characters < SLICE_CHARACTERS && texts < SLICE_TEXTS) {
            Evaluation.Question question = questions.get(order.get(end));
            for (String context : question.contexts()) {
                characters += context.length() - shared(before, context);
                before = context;
            }
            for (String continuation : continuations.get(order.get(end))) {
                characters += continuation.length();
                texts++;
            }
            end++;
        }
        return end;
    }

    private static int shared(String a, String b) {
        int n = Math.min(a.length(), b.length());
        int i = 0;
        while (i < n && a.charAt(i) == b.charAt(i)) {
            i++;
        }
        return i;
    }

    private void score(
            List<Evaluation.Question> questions,
            List<List<String>> continuations,
            List<Integer> slice,
            double[][] results,
            Meter meter) {
        List<ScoredText> texts = new ArrayList<>();
        for (int i : slice) {
            for (String context : questions.get(i).contexts()) {
                for (String continuation : continuations.get(i)) {
                    texts.add(encoder.pair(context, continuation));
                }
            }
        }
        List<String> keys = texts.stream().map(ResultCache::key).toList();
        if (!cache.has(keys)) {
            double[] computed = subject.model().likelihoods(texts);
            // before any is kept
            LogLikelihoods.requireFinite(computed);
            for (int t = 0; t < computed.length; t++) {
                cache.put(keys.get(t), computed[t]);
            }
            cache.flush();
            count(texts.stream().mapToLong(text -> text.ids().length).sum(), texts.size(), meter);
        }
        int at = 0;
        for (int i : slice) {
            int end = at + questions.get(i).contexts().size() * continuations.get(i).size();
            results[i] = keys.subList(at, end).stream().mapToDouble(cache::likelihood).toArray();
            at = end;
        }
    }

    /// What the model writes on each question, as many texts as `generation` says.
    List<List<String>> texts(
            List<Evaluation.Question> questions, GenerationSettings generation, Progress progress) {
        record Job(int question, Prompt prompt) {}
        List<Job> jobs = new ArrayList<>();
        for (int i = 0; i < questions.size(); i++) {
            String context = questions.get(i).contexts().getFirst();
            for (int s = 0; s < generation.samples(); s++) {
                long own = seed + 1_000_003L * questions.get(i).index() + s;
                jobs.add(new Job(i, prompt(context, generation, own)));
            }
        }
        // the longest first: time left is over- rather than underestimated
        jobs.sort(Comparator.comparingInt((Job job) -> -job.prompt().ids().length));
        List<List<String>> results = new ArrayList<>();
        questions.forEach(q -> results.add(new ArrayList<>()));
        Meter meter = new Meter(progress, questions.size());
        for (int at = 0; at < jobs.size(); at += SLICE_PROMPTS) {
            List<Job> slice = jobs.subList(at, Math.min(jobs.size(), at + SLICE_PROMPTS));
            int first = at;
            List<int[]> answers =
                    write(
                            slice.stream().map(Job::prompt).toList(),
                            generation,
                            meter,
                            done -> meter.done((first + done) / generation.samples()));
            for (int i = 0; i < slice.size(); i++) {
                results.get(slice.get(i).question()).add(text(answers.get(i), generation.until()));
            }
            meter.done((first + slice.size()) / generation.samples());
        }
        return results;
    }

    private List<int[]> write(
            List<Prompt> prompts, GenerationSettings generation, Meter meter, IntConsumer done) {
        List<String> keys =
                prompts.stream().map(p -> ResultCache.key(p, generation, subject.ends())).toList();
        if (!cache.has(keys)) {
            int[] finished = new int[1];
            List<int[]> computed =
                    subject.model()
                            .generate(
                                    prompts,
                                    index -> {
                                        synchronized (finished) {
                                            done.accept(++finished[0]);
                                        }
                                    });
            long count = 0;
            for (int i = 0; i < computed.size(); i++) {
                cache.put(keys.get(i), computed.get(i));
                count += prompts.get(i).ids().length + computed.get(i).length;
            }
            cache.flush();
            count(count, prompts.size(), meter);
        }
        return keys.stream().map(cache::ids).toList();
    }

    private Prompt prompt(String context, GenerationSettings generation, long own) {
        int room = generation.maxNewTokens();
        if (generation.maxContextAndNew().isPresent()) {
            int length = encoder.encode(context).length;
            room = Math.clamp(generation.maxContextAndNew().getAsInt() - length, 1, room);
        }
        room = Math.min(room, Math.max(1, encoder.room() - 1));
        return new Prompt(
                encoder.prompt(context, room), room, generation.draw(own), last(generation));
    }

    /// Accepts an end token, and the token with which the text contains a stop text.
    private IntPredicate last(GenerationSettings generation) {
        List<String> until = generation.until();
        Tokenizer tokenizer = subject.model().tokenizer();
        StreamingDecoder decoder = new StreamingDecoder(tokenizer, false);
        int longest = until.stream().mapToInt(String::length).max().orElse(0);
        StringBuilder text = new StringBuilder();
        return id -> {
            if (subject.ends().contains(id)
                    || (generation.untilSpecial() && tokenizer.isSpecial(id))) {
                return true;
            }
            int from = Math.max(0, text.length() - longest);
            text.append(decoder.add(id));
            return until.stream().anyMatch(stop -> text.indexOf(stop, from) >= 0);
        };
    }

    private String text(int[] ids, List<String> until) {
        Tokenizer tokenizer = subject.model().tokenizer();
        Set<Integer> ends = subject.ends();
        int length = ids.length;
        if (length > 0 && ends.contains(ids[length - 1])) {
            length--;
        }
        String text = tokenizer.decode(Arrays.copyOf(ids, length), true);
        for (String stop : until) {
            int at = text.indexOf(stop);
            text = at < 0 ? text : text.substring(0, at);
        }
        return text;
    }

    private void count(long moreTokens, int moreRequests, Meter meter) {
        tokens += moreTokens;
        requests += moreRequests;
        meter.tokens += moreTokens;
    }

    /// How far a task is, and how fast.
    private static final class Meter {
        private final Progress progress;
        private final int total;
        private final long start = System.nanoTime();
        private long tokens;

        Meter(Progress progress, int total) {
            this.progress = progress;
            this.total = total;
        }

        void done(int questions) {
            double rate = tokens / ((System.nanoTime() - start) / 1e9);
            progress.update(
                    "", questions, total, tokens == 0 ? "" : "%,.0f tokens/s".formatted(rate));
        }
    }
}
