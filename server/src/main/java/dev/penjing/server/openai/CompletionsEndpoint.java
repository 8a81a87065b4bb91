package dev.penjing.server.openai;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.JsonFields;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.AnswerService;
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
public final class CompletionsEndpoint {
    /// Of the names of answers.
    static final String PREFIX = "cmpl-";

    /// What answers say they are, and their chunks.
    static final String KIND = "text_completion";

    private static final int MOST_PROMPTS = 128;
    private static final int MOST_LOGPROBS = 20;
    private static final int MOST_BEST = 20;

    private final Service service;

    public CompletionsEndpoint(Service service) {
        this.service = service;
    }

    /// A request that was understood.
    ///
    /// @param wanted answers to each prompt; the best of `parameters.count()` that are made
    /// @param echo whether answers begin with their prompts
    /// @param maxTokens 0 if the prompt alone is wanted, with its probabilities
    record Question(
            ParsedRequest asked,
            int wanted,
            boolean echo,
            int maxTokens,
            List<TextPrompt> prompts) {
        /// Answers that are made to each prompt.
        int each() {
            return asked.parameters().count();
        }

        TextPrompt promptOf(int index) {
            return prompts.get(index / each());
        }

        String text(TextPrompt prompt) {
            return prompt.text(asked.engine());
        }

        /// Adds the prompt's tokens. A BOS token that the server added is among them, as in vLLM,
        /// but takes no place in the text.
        ///
        /// @return where its text ends
        int echo(ObjectNode logprobs, TextPrompt prompt) {
            int[] ids = prompt.ids();
            List<AnswerService.Token> tokens = new ArrayList<>();
            tokens.add(new AnswerService.Token(ids[0], Optional.empty()));
            List<LogProbabilities> known = asked.engine().score(ids, asked.top().orElse(0));
            for (int i = 1; i < ids.length; i++) {
                tokens.add(new AnswerService.Token(ids[i], Optional.of(known.get(i - 1))));
            }
            offsets(logprobs, tokens.subList(0, prompt.added()), 0);
            return offsets(logprobs, tokens.subList(prompt.added(), tokens.size()), 0);
        }

        /// Adds tokens whose text begins at `from`.
        ///
        /// @return where it ends
        int offsets(ObjectNode logprobs, List<AnswerService.Token> tokens, int from) {
            Tokenizer tokenizer = asked.engine().tokenizer();
            int offset = from;
            for (AnswerService.Token token : tokens) {
                Probabilities.add(logprobs, token, offset, tokenizer);
                offset += Probabilities.text(token.id(), tokenizer).length();
            }
            return offset;
        }
    }

    public void handle(Exchange exchange) {
        Question question = read(exchange.fields());
        ParsedRequest asked = question.asked();
        boolean stream = asked.parameters().stream();
        try (Admission.Ticket ticket = service.admit(asked.engine(), asked.requests())) {
            if (stream && question.maxTokens() == 0) {
                throw ApiException.invalid(
                        "max_tokens", "max_tokens must be at least 1 in a stream.");
            }
            if (stream) {
                service.stream(
                        exchange, asked, ticket, events -> new CompletionChunks(events, question));
            } else {
                List<CollectedAnswer> all =
                        question.maxTokens() == 0
                                ? asked.requests().stream()
                                        .map(request -> new CollectedAnswer())
                                        .toList()
                                : service.made(exchange, asked, ticket);
                exchange.send(200, whole(question, all));
            }
        }
    }

    private Question read(JsonFields fields) {
        ServedModel model = service.model(fields);
        Engine engine = model.engine();
        List<TextPrompt> prompts = prompts(fields, engine);
        RequestParameters parameters =
                RequestParameters.of(fields, engine.config().vocabularySize());
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
        fields.unsupported("suffix");
        fields.end();
        RequestParameters made = parameters.answers(best);
        // the best is found by how likely its tokens are
        OptionalInt reported = best > wanted ? OptionalInt.of(top.orElse(0)) : top;
        List<Request> requests = new ArrayList<>();
        for (TextPrompt prompt : prompts) {
            requests.addAll(
                    made.requests(prompt.ids(), Math.max(1, maxTokens), reported, requests.size()));
        }
        int promptTokens = prompts.stream().mapToInt(p -> p.ids().length).sum();
        return new Question(
                new ParsedRequest(model, engine, made, top, promptTokens, requests),
                wanted,
                echo,
                maxTokens,
                prompts);
    }

    private static List<TextPrompt> prompts(JsonFields fields, Engine engine) {
        JsonNode prompt = fields.required("prompt");
        int vocabulary = engine.config().vocabularySize();
        boolean special = fields.flag("add_special_tokens", true);
        List<TextPrompt> prompts = new ArrayList<>();
        if (prompt.isString()) {
            prompts.add(TextPrompt.of(engine, prompt.asString(), special));
        } else if (prompt.isArray() && !prompt.isEmpty() && prompt.get(0).isNumber()) {
            prompts.add(TextPrompt.given(fields.ids("prompt", prompt, vocabulary)));
        } else if (prompt.isArray()) {
            for (JsonNode one : prompt) {
                prompts.add(
                        one.isString()
                                ? TextPrompt.of(engine, one.asString(), special)
                                : TextPrompt.given(fields.ids("prompt", one, vocabulary)));
            }
        }
        if (prompts.isEmpty() || prompts.size() > MOST_PROMPTS) {
            throw fields.wrong(
                    "prompt",
                    "must be a string, a list of token ids, or a list of 1 to %d of these"
                            .formatted(MOST_PROMPTS));
        }
        if (prompts.stream().anyMatch(p -> p.ids().length == 0)) {
            throw fields.wrong("prompt", "is empty: give at least one token");
        }
        return prompts;
    }

    private static ObjectNode whole(Question question, List<CollectedAnswer> all) {
        ObjectNode body = question.asked().head(PREFIX, KIND).json();
        ArrayNode choices = body.putArray("choices");
        int each = question.each();
        for (int p = 0; p < question.prompts().size(); p++) {
            List<CollectedAnswer> answers = new ArrayList<>(all.subList(p * each, (p + 1) * each));
            if (question.wanted() < each) {
                answers.sort(Comparator.comparingDouble(CollectedAnswer::likelihood).reversed());
            }
            for (CollectedAnswer made : answers.subList(0, question.wanted())) {
                ObjectNode choice = choices.addObject().put("index", choices.size() - 1);
                fill(choice, question, question.prompts().get(p), made);
            }
        }
        body.set("usage", CollectedAnswer.usage(question.asked().promptTokens(), all).json());
        return body;
    }

    private static void fill(
            ObjectNode choice, Question question, TextPrompt prompt, CollectedAnswer made) {
        choice.put("text", (question.echo() ? question.text(prompt) : "") + made.text());
        if (question.asked().top().isPresent()) {
            ObjectNode logprobs = Probabilities.completion();
            int offset = question.echo() ? question.echo(logprobs, prompt) : 0;
            question.offsets(logprobs, made.tokens(), offset);
            choice.set("logprobs", logprobs);
        } else {
            choice.putNull("logprobs");
        }
        choice.put("finish_reason", made.reason());
    }
}
