package dev.penjing.server.openai;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.constraint.Constraint;
import dev.penjing.model.PenjingException;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.JsonFields;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.ServedModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `POST /v1/chat/completions` (OpenAI's specification 2.3.0, CreateChatCompletionRequest).
public final class ChatEndpoint {
    /// Of the names of answers.
    static final String PREFIX = "chatcmpl-";

    private static final int MOST_TOP = 20;

    private final Service service;

    public ChatEndpoint(Service service) {
        this.service = service;
    }

    private record Question(ParsedRequest asked, Tools tools) {}

    public void handle(Exchange exchange) {
        Question question = read(exchange.fields());
        ParsedRequest asked = question.asked();
        Tools tools = question.tools();
        try (Admission.Ticket ticket = service.admit(asked.engine(), asked.requests())) {
            if (asked.parameters().stream()) {
                service.stream(
                        exchange, asked, ticket, events -> new ChatChunks(events, asked, tools));
            } else {
                exchange.send(200, whole(question, service.made(exchange, asked, ticket)));
            }
        }
    }

    private Question read(JsonFields fields) {
        ServedModel model = service.model(fields);
        List<Map<String, Object>> messages = Messages.of(fields);
        Engine engine = model.engine();
        Tools tools = Tools.of(fields);
        RequestParameters parameters =
                RequestParameters.of(fields, engine.config().vocabularySize());
        boolean probabilities = fields.flag("logprobs");
        OptionalInt top = fields.integer("top_logprobs", 0, MOST_TOP);
        OptionalInt old = limit(fields, "max_tokens");
        OptionalInt limit = limit(fields, "max_completion_tokens");
        int maxTokens = limit.orElse(old.orElse(service.defaultMaxTokens()));
        Map<String, Object> more = new HashMap<>();
        fields.object("chat_template_kwargs")
                .ifPresent(map ->
                        map.names()
                                .forEach(name ->
                                        more.put(name, Messages.plain(map.required(name)))));
        Optional<Constraint> form = tools.form(fields);
        if (form.isPresent()) {
            if (parameters.constraint().isPresent()) {
                throw fields.wrong(
                        "tool_choice", "cannot be required together with a response format");
            }
            parameters = parameters.constrained(form.get());
        }
        fields.ignore(
                "user",
                "metadata",
                "service_tier",
                "safety_identifier",
                "prompt_cache_key",
                "prompt_cache_retention",
                "reasoning_effort",
                "verbosity");
        fields.unsupported(
                "store", "audio", "prediction", "web_search_options", "functions", "function_call");
        modalities(fields);
        fields.end();
        int[] prompt = prompt(engine, messages, tools, more);
        OptionalInt tops = probabilities ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
        List<Request> requests = parameters.requests(prompt, maxTokens, tops, 0);
        return new Question(
                new ParsedRequest(model, engine, parameters, tops, prompt.length, requests), tools);
    }

    /// A longest answer; -1 is none, as in LM Studio and llama.cpp.
    private static OptionalInt limit(JsonFields fields, String name) {
        OptionalInt limit = fields.integer(name, -1, Integer.MAX_VALUE);
        if (limit.isPresent() && limit.getAsInt() == 0) {
            throw fields.wrong(name, "must be at least 1, or -1 for no limit of its own");
        }
        return limit.isPresent() && limit.getAsInt() < 0 ? OptionalInt.empty() : limit;
    }

    private static void modalities(JsonFields fields) {
        for (String modality : fields.texts("modalities", 8)) {
            if (!modality.equals("text")) {
                throw fields.wrong("modalities", "can be [\"text\"] only");
            }
        }
    }

    static int[] prompt(
            Engine engine,
            List<Map<String, Object>> messages,
            Tools tools,
            Map<String, Object> more) {
        return prompt(engine, messages, tools, more, "messages");
    }

    /// A conversation as tokens. The tools are told of in the template's way, or in words where the
    /// template knows none.
    ///
    /// @param more variables for the template
    /// @param field of the request that holds it
    static int[] prompt(
            Engine engine,
            List<Map<String, Object>> messages,
            Tools tools,
            Map<String, Object> more,
            String field) {
        boolean knowsTools = engine.chatTemplateAsksFor("tools");
        Map<String, Object> variables = new HashMap<>(more);
        if (knowsTools && !tools.shown().isEmpty()) {
            variables.put("tools", tools.shown());
        }
        try {
            return engine.chat(
                    knowsTools ? messages : Messages.withToolsInText(messages, tools.shown()),
                    variables);
        } catch (PenjingException e) {
            throw ApiException.invalid(field, e.getMessage() + ".");
        }
    }

    private static ObjectNode whole(Question question, List<CollectedAnswer> all) {
        ParsedRequest asked = question.asked();
        ObjectNode body = asked.head(PREFIX, "chat.completion").json();
        ArrayNode choices = body.putArray("choices");
        for (CollectedAnswer made : all) {
            ObjectNode choice = choices.addObject().put("index", choices.size() - 1);
            ObjectNode message = choice.putObject("message").put("role", "assistant");
            ToolCalls.Found found = ToolCalls.found(question.tools(), made.text());
            boolean calls = !found.calls().isEmpty();
            message.put("content", calls && found.text().isBlank() ? null : found.text());
            message.putNull("refusal");
            if (calls) {
                ArrayNode list = message.putArray("tool_calls");
                found.calls().forEach(call -> list.add(call.json()));
            }
            if (asked.top().isPresent()) {
                choice.set(
                        "logprobs", Probabilities.chat(made.tokens(), asked.engine().tokenizer()));
            } else {
                choice.putNull("logprobs");
            }
            choice.put("finish_reason", reason(made.reason(), calls));
        }
        body.set("usage", CollectedAnswer.usage(asked.promptTokens(), all).json());
        return body;
    }

    /// As a chat has it: a call is an end of its own.
    static String reason(String reason, boolean calls) {
        return calls && reason.equals("stop") ? "tool_calls" : reason;
    }
}
