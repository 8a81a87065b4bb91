package dev.penjing.server.openai;

import dev.penjing.inference.Engine;
import dev.penjing.inference.Finish;
import dev.penjing.inference.LogProbabilities;
import dev.penjing.inference.Request;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.EventStream;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.Fields;
import dev.penjing.server.http.Json;
import dev.penjing.server.http.JsonTemplate;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.Answers;
import dev.penjing.server.models.ServedModel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `POST /v1/completions` (OpenAI's specification 2.3.0, CreateCompletionRequest). Answer j to
/// prompt i has the index i x n + j.
public final class Completions {
    private static final int MOST_PROMPTS = 128;
    private static final int MOST_LOGPROBS = 20;
    private static final int MOST_BEST = 20;

    private final Service service;

    public Completions(Service service) {
        this.service = service;
    }

    /// A request that was understood.
    ///
    /// @param wanted answers to each prompt; the best of `parameters.count()` that are made
    /// @param maxTokens 0 if the prompt alone is wanted, with its probabilities
    private record Asked(
            ServedModel model,
            Engine engine,
            Parameters parameters,
            int wanted,
            OptionalInt top,
            boolean echo,
            int maxTokens,
            List<int[]> prompts,
            List<Request> requests) {
        int promptTokens() {
            return prompts.stream().mapToInt(p -> p.length).sum();
        }

        int[] promptOf(int index) {
            return prompts.get(index / parameters.count());
        }
    }

    public void handle(Exchange exchange) {
        Asked asked = read(Fields.of(exchange.json()));
        try (Admission.Ticket ticket = service.admit(asked.engine(), asked.requests())) {
            if (asked.parameters().stream()) {
                stream(exchange, asked, ticket);
            } else {
                exchange.send(200, whole(exchange, asked, ticket));
            }
        }
    }

    private Asked read(Fields fields) {
        ServedModel model = service.model(fields);
        Engine engine = model.engine();
        List<int[]> prompts = prompts(fields, engine);
        Parameters parameters = Parameters.of(fields, engine.config().vocabularySize());
        int wanted = parameters.count();
        int best = fields.integer("best_of", 1, MOST_BEST).orElse(wanted);
        if (best < wanted || best > wanted && parameters.stream()) {
            throw fields.wrong("best_of", "must be at least n, and n in a stream");
        }
        OptionalInt top = fields.integer("logprobs", 0, MOST_LOGPROBS);
        boolean echo = fields.flag("echo");
        int maxTokens = fields.integer("max_tokens", 0, Integer.MAX_VALUE).orElse(16);
        if (maxTokens == 0 && !echo) {
            throw fields.wrong("max_tokens", "must be at least 1 unless \"echo\" is true");
        }
        fields.ignore("user");
        fields.unsupported("suffix", "min_tokens");
        fields.end();
        Parameters made = parameters.answers(best);
        // the best is found by how likely its tokens are
        OptionalInt reported = best > wanted ? OptionalInt.of(top.orElse(0)) : top;
        List<Request> requests = new ArrayList<>();
        for (int[] prompt : prompts) {
            requests.addAll(
                    made.requests(prompt, Math.max(1, maxTokens), reported, requests.size()));
        }
        return new Asked(model, engine, made, wanted, top, echo, maxTokens, prompts, requests);
    }

    private static List<int[]> prompts(Fields fields, Engine engine) {
        JsonNode prompt = fields.required("prompt");
        int vocabulary = engine.config().vocabularySize();
        List<int[]> prompts = new ArrayList<>();
        if (prompt.isString()) {
            prompts.add(engine.tokenizer().encode(prompt.asString()));
        } else if (prompt.isArray() && !prompt.isEmpty() && prompt.get(0).isNumber()) {
            prompts.add(fields.ids("prompt", prompt, vocabulary));
        } else if (prompt.isArray()) {
            for (JsonNode one : prompt) {
                prompts.add(
                        one.isString()
                                ? engine.tokenizer().encode(one.asString())
                                : fields.ids("prompt", one, vocabulary));
            }
        }
        if (prompts.isEmpty() || prompts.size() > MOST_PROMPTS) {
            throw fields.wrong(
                    "prompt",
                    "must be a string, a list of token ids, or a list of 1 to %d of these"
                            .formatted(MOST_PROMPTS));
        }
        if (prompts.stream().anyMatch(p -> p.length == 0)) {
            throw fields.wrong("prompt", "is empty: give at least one token");
        }
        return prompts;
    }

    /// An answer as it has come so far.
    private static final class Made {
        final StringBuilder text = new StringBuilder();
        final List<Answers.Token> tokens = new ArrayList<>();
        Optional<Finish> finish = Optional.empty();

        double likelihood() {
            return tokens.stream()
                    .flatMap(t -> t.probabilities().stream())
                    .mapToDouble(LogProbabilities::chosen)
                    .average()
                    .orElse(Double.NEGATIVE_INFINITY);
        }
    }

    private ObjectNode whole(Exchange exchange, Asked asked, Admission.Ticket ticket) {
        List<Made> all = new ArrayList<>();
        asked.requests().forEach(r -> all.add(new Made()));
        List<Finish> finishes = List.of();
        if (asked.maxTokens() > 0) {
            finishes =
                    service.make(
                            exchange,
                            asked.model(),
                            asked.requests(),
                            ticket,
                            part -> {
                                Made made = all.get(part.index());
                                made.text.append(part.text());
                                made.tokens.addAll(part.tokens());
                                made.finish = part.finish();
                            });
        }
        ObjectNode body = head(asked, Ids.of("cmpl-"), now());
        ArrayNode choices = body.putArray("choices");
        int each = asked.parameters().count();
        for (int p = 0; p < asked.prompts().size(); p++) {
            List<Made> answers = new ArrayList<>(all.subList(p * each, (p + 1) * each));
            if (asked.wanted() < each) {
                answers.sort(Comparator.comparingDouble(Made::likelihood).reversed());
            }
            for (Made made : answers.subList(0, asked.wanted())) {
                choice(
                        choices.addObject(),
                        choices.size() - 1,
                        asked,
                        asked.prompts().get(p),
                        made);
            }
        }
        int completion = finishes.stream().mapToInt(Finish::newTokens).sum();
        int cached = finishes.stream().mapToInt(Finish::cachedTokens).max().orElse(0);
        body.set("usage", new Usage(asked.promptTokens(), completion, cached).json());
        return body;
    }

    private static void choice(ObjectNode choice, int index, Asked asked, int[] prompt, Made made) {
        String echo = asked.echo() ? asked.engine().tokenizer().decode(prompt, false) : "";
        choice.put("text", echo + made.text);
        choice.put("index", index);
        if (asked.top().isPresent()) {
            ObjectNode logprobs = Probabilities.completion();
            int offset = asked.echo() ? echo(logprobs, asked, prompt) : 0;
            offsets(logprobs, asked, made.tokens, offset);
            choice.set("logprobs", logprobs);
        } else {
            choice.putNull("logprobs");
        }
        choice.put("finish_reason", made.finish.map(Service::reason).orElse("length"));
    }

    /// The prompt's own tokens.
    ///
    /// @return where its text ends
    private static int echo(ObjectNode logprobs, Asked asked, int[] prompt) {
        int tops = asked.top().orElse(0);
        List<Answers.Token> tokens = new ArrayList<>();
        tokens.add(new Answers.Token(prompt[0], Optional.empty()));
        List<LogProbabilities> known = asked.engine().score(prompt, tops);
        for (int i = 1; i < prompt.length; i++) {
            tokens.add(new Answers.Token(prompt[i], Optional.of(known.get(i - 1))));
        }
        return offsets(logprobs, asked, tokens, 0);
    }

    private static int offsets(
            ObjectNode logprobs, Asked asked, List<Answers.Token> tokens, int from) {
        int offset = from;
        for (Answers.Token token : tokens) {
            Probabilities.add(logprobs, token, offset, asked.engine().tokenizer());
            offset += Probabilities.text(token.id(), asked.engine().tokenizer()).length();
        }
        return offset;
    }

    private static long now() {
        return System.currentTimeMillis() / 1000;
    }

    private static ObjectNode head(Asked asked, String id, long created) {
        return Json.object()
                .put("id", id)
                .put("object", "text_completion")
                .put("created", created)
                .put("model", asked.model().id())
                .put("system_fingerprint", Service.fingerprint(asked.engine()));
    }

    private void stream(Exchange exchange, Asked asked, Admission.Ticket ticket) {
        if (asked.maxTokens() == 0) {
            throw ApiException.invalid("max_tokens", "max_tokens must be at least 1 in a stream.");
        }
        try (EventStream events = exchange.events()) {
            Chunks chunks = new Chunks(events, asked);
            try {
                chunks.begin();
                List<Finish> all =
                        service.make(exchange, asked.model(), asked.requests(), ticket, chunks);
                if (asked.parameters().usage()) {
                    chunks.end(
                            new Usage(
                                    asked.promptTokens(),
                                    all.stream().mapToInt(Finish::newTokens).sum(),
                                    all.stream().mapToInt(Finish::cachedTokens).max().orElse(0)));
                }
                events.done();
            } catch (ApiException e) {
                events.fail(e);
            }
        }
    }

    private static final class Chunks implements Answers.Taker {
        private final EventStream events;
        private final Asked asked;
        private final String id = Ids.of("cmpl-");
        private final long created = now();
        private final int[] offsets;

        /// Chunks that bring nothing but text, one for each answer.
        private final List<JsonTemplate> plain = new ArrayList<>();

        Chunks(EventStream events, Asked asked) {
            this.events = events;
            this.asked = asked;
            this.offsets = new int[asked.requests().size()];
            for (int i = 0; i < offsets.length; i++) {
                int index = i;
                plain.add(
                        new JsonTemplate(text ->
                                chunk(index, text, Probabilities.completion(), Optional.empty())));
            }
        }

        void begin() {
            for (int i = 0; i < offsets.length && asked.echo(); i++) {
                int[] prompt = asked.promptOf(i);
                ObjectNode logprobs = Probabilities.completion();
                if (asked.top().isPresent()) {
                    offsets[i] = echo(logprobs, asked, prompt);
                }
                send(
                        i,
                        asked.engine().tokenizer().decode(prompt, false),
                        logprobs,
                        Optional.empty());
            }
        }

        @Override
        public void take(Answers.Part part) {
            if (asked.top().isEmpty() && part.finish().isEmpty()) {
                if (!part.text().isEmpty()) {
                    events.send(plain.get(part.index()).with(part.text()));
                }
                return;
            }
            ObjectNode logprobs = Probabilities.completion();
            if (asked.top().isPresent()) {
                int at = offsets[part.index()];
                offsets[part.index()] = Completions.offsets(logprobs, asked, part.tokens(), at);
            }
            if (!part.text().isEmpty() || part.finish().isPresent()) {
                send(part.index(), part.text(), logprobs, part.finish().map(Service::reason));
            }
        }

        private void send(int index, String text, ObjectNode logprobs, Optional<String> reason) {
            events.send(chunk(index, text, logprobs, reason));
        }

        private ObjectNode chunk(
                int index, String text, ObjectNode logprobs, Optional<String> reason) {
            ObjectNode chunk = head(asked, id, created);
            ObjectNode choice = chunk.putArray("choices").addObject();
            choice.put("text", text).put("index", index);
            if (asked.top().isPresent()) {
                choice.set("logprobs", logprobs);
            } else {
                choice.putNull("logprobs");
            }
            choice.put("finish_reason", reason.orElse(null));
            if (asked.parameters().usage()) {
                chunk.putNull("usage");
            }
            return chunk;
        }

        @Override
        public void caughtUp() {
            events.flush();
        }

        @Override
        public void quiet() {
            events.pingIfQuiet();
        }

        void end(Usage usage) {
            ObjectNode chunk = head(asked, id, created);
            chunk.putArray("choices");
            chunk.set("usage", usage.json());
            events.send(chunk);
        }
    }
}
