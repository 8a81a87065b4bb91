package dev.penjing.server.openai;

import dev.penjing.inference.Engine;
import dev.penjing.inference.Finish;
import dev.penjing.inference.Request;
import dev.penjing.model.PenjingException;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `POST /v1/chat/completions` (OpenAI's specification 2.3.0, CreateChatCompletionRequest).
public final class Chat {
    private static final int MOST_TOP = 20;

    private final Service service;

    public Chat(Service service) {
        this.service = service;
    }

    /// A request that was understood.
    ///
    /// @param top alternatives to report with each token, if any are to be
    private record Asked(
            ServedModel model,
            Engine engine,
            Parameters parameters,
            Tools tools,
            OptionalInt top,
            int[] prompt,
            List<Request> requests) {}

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
        List<Map<String, Object>> messages = Messages.of(fields);
        Engine engine = model.engine();
        Tools tools = Tools.of(fields);
        Parameters parameters = Parameters.of(fields, engine.config().vocabularySize());
        boolean probabilities = fields.flag("logprobs");
        OptionalInt top = fields.integer("top_logprobs", 0, MOST_TOP);
        if (top.isPresent() && !probabilities) {
            throw fields.wrong("top_logprobs", "goes with \"logprobs\": true only");
        }
        OptionalInt old = fields.integer("max_tokens", 1, Integer.MAX_VALUE);
        int maxTokens =
                fields.integer("max_completion_tokens", 1, Integer.MAX_VALUE)
                        .orElse(old.orElse(service.defaultMaxTokens()));
        Map<String, Object> more = new HashMap<>();
        fields.object("chat_template_kwargs")
                .ifPresent(map ->
                        map.names()
                                .forEach(name ->
                                        more.put(name, Messages.plain(map.required(name)))));
        Optional<dev.penjing.inference.constraint.Constraint> form = tools.form(fields);
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
                "store",
                "audio",
                "prediction",
                "web_search_options",
                "functions",
                "function_call",
                "min_tokens");
        modalities(fields);
        fields.end();
        int[] prompt = prompt(engine, messages, tools, more);
        OptionalInt tops = probabilities ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
        return new Asked(
                model,
                engine,
                parameters,
                tools,
                tops,
                prompt,
                parameters.requests(prompt, maxTokens, tops, 0));
    }

    private static void modalities(Fields fields) {
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

    /// A conversation as tokens, the tools told of in the template's way or in words.
    ///
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

    private ObjectNode whole(Exchange exchange, Asked asked, Admission.Ticket ticket) {
        int count = asked.requests().size();
        List<StringBuilder> texts = new ArrayList<>();
        List<List<Answers.Token>> tokens = new ArrayList<>();
        Finish[] finishes = new Finish[count];
        for (int i = 0; i < count; i++) {
            texts.add(new StringBuilder());
            tokens.add(new ArrayList<>());
        }
        List<Finish> all =
                service.make(
                        exchange,
                        asked.model(),
                        asked.requests(),
                        ticket,
                        part -> {
                            texts.get(part.index()).append(part.text());
                            tokens.get(part.index()).addAll(part.tokens());
                            part.finish().ifPresent(finish -> finishes[part.index()] = finish);
                        });
        ObjectNode body = head(asked, Ids.of("chatcmpl-"), now(), "chat.completion");
        ArrayNode choices = body.putArray("choices");
        for (int i = 0; i < count; i++) {
            ObjectNode choice = choices.addObject().put("index", i);
            ObjectNode message = choice.putObject("message").put("role", "assistant");
            ToolCalls.Found found = found(asked.tools(), texts.get(i).toString());
            boolean calls = !found.calls().isEmpty();
            message.put("content", calls && found.text().isBlank() ? null : found.text());
            message.putNull("refusal");
            if (calls) {
                ArrayNode list = message.putArray("tool_calls");
                found.calls().forEach(call -> list.add(call.json()));
            }
            if (asked.top().isPresent()) {
                choice.set(
                        "logprobs", Probabilities.chat(tokens.get(i), asked.engine().tokenizer()));
            } else {
                choice.putNull("logprobs");
            }
            choice.put("finish_reason", reason(finishes[i], calls));
        }
        body.set("usage", Usage.of(asked.prompt().length, all).json());
        return body;
    }

    /// What an answer is that has ended: a text, calls, or both.
    static ToolCalls.Found found(Tools tools, String answer) {
        ToolCalls finder = new ToolCalls(tools);
        return switch (tools.choice()) {
            case NONE -> new ToolCalls.Found(answer, List.of());
            case AUTO -> {
                String text = finder.add(answer);
                ToolCalls.Found rest = finder.finish();
                yield new ToolCalls.Found(text + rest.text(), rest.calls());
            }
            case REQUIRED, NAMED ->
                    finder.forced(answer)
                            .map(call -> new ToolCalls.Found("", List.of(call)))
                            .orElse(new ToolCalls.Found(answer, List.of()));
        };
    }

    private static String reason(Finish finish, boolean calls) {
        String reason = Service.reason(finish);
        return calls && reason.equals("stop") ? "tool_calls" : reason;
    }

    private static long now() {
        return System.currentTimeMillis() / 1000;
    }

    private static ObjectNode head(Asked asked, String id, long created, String kind) {
        return Json.object()
                .put("id", id)
                .put("object", kind)
                .put("created", created)
                .put("model", asked.model().id())
                .put("system_fingerprint", Service.fingerprint(asked.engine()));
    }

    private void stream(Exchange exchange, Asked asked, Admission.Ticket ticket) {
        try (EventStream events = exchange.events()) {
            ChatStream chunks = new ChatStream(events, asked);
            try {
                chunks.begin();
                List<Finish> all =
                        service.make(exchange, asked.model(), asked.requests(), ticket, chunks);
                chunks.end(Usage.of(asked.prompt().length, all));
                events.done();
            } catch (ApiException e) {
                events.fail(e);
            }
        }
    }

    /// The chunks of a streamed chat.
    private static final class ChatStream implements Answers.Taker {
        private final EventStream events;
        private final Asked asked;
        private final String id = Ids.of("chatcmpl-");
        private final long created = now();
        private final List<ToolCalls> finders = new ArrayList<>();
        private final List<StringBuilder> forced = new ArrayList<>();

        /// Chunks that bring nothing but text, one for each answer.
        private final List<JsonTemplate> plain = new ArrayList<>();

        ChatStream(EventStream events, Asked asked) {
            this.events = events;
            this.asked = asked;
            for (int i = 0; i < asked.requests().size(); i++) {
                finders.add(new ToolCalls(asked.tools()));
                forced.add(new StringBuilder());
                int index = i;
                plain.add(
                        new JsonTemplate(text ->
                                chunk(
                                        index,
                                        Json.object().put("content", text),
                                        Optional.empty(),
                                        List.of())));
            }
        }

        /// The role, once for each answer, and of a call whose function is known its beginning.
        void begin() {
            for (int i = 0; i < asked.requests().size(); i++) {
                ObjectNode delta = Json.object().put("role", "assistant");
                if (asked.tools().named().isPresent()) {
                    delta.putNull("content");
                    call(delta, 0, new ToolCalls.Call(Ids.call(), asked.tools().named().get(), ""));
                } else {
                    delta.put("content", "");
                }
                delta.putNull("refusal");
                send(i, delta, Optional.empty(), List.of());
            }
        }

        private static void call(ObjectNode delta, int index, ToolCalls.Call call) {
            ObjectNode node = delta.withArray("tool_calls").addObject().put("index", index);
            node.setAll(call.json());
        }

        @Override
        public void take(Answers.Part part) {
            switch (asked.tools().choice()) {
                case NONE -> text(part, part.text());
                case AUTO -> text(part, finders.get(part.index()).add(part.text()));
                case NAMED -> {
                    ObjectNode delta = Json.object();
                    delta.putArray("tool_calls")
                            .addObject()
                            .put("index", 0)
                            .putObject("function")
                            .put("arguments", part.text());
                    if (!part.text().isEmpty()) {
                        send(part.index(), delta, Optional.empty(), part.tokens());
                    }
                }
                case REQUIRED -> forced.get(part.index()).append(part.text());
            }
            part.finish().ifPresent(finish -> finish(part.index(), finish));
        }

        private void text(Answers.Part part, String text) {
            if (asked.top().isEmpty()) {
                if (!text.isEmpty() || !part.tokens().isEmpty()) {
                    events.send(plain.get(part.index()).with(text));
                }
            } else if (!text.isEmpty() || !part.tokens().isEmpty()) {
                ObjectNode delta = Json.object().put("content", text);
                send(part.index(), delta, Optional.empty(), part.tokens());
            }
        }

        private void finish(int index, Finish finish) {
            ToolCalls.Found found =
                    switch (asked.tools().choice()) {
                        case NONE, NAMED -> new ToolCalls.Found("", List.of());
                        case AUTO -> finders.get(index).finish();
                        case REQUIRED -> found(asked.tools(), forced.get(index).toString());
                    };
            if (!found.text().isEmpty()) {
                send(
                        index,
                        Json.object().put("content", found.text()),
                        Optional.empty(),
                        List.of());
            }
            for (int i = 0; i < found.calls().size(); i++) {
                ObjectNode delta = Json.object();
                call(delta, i, found.calls().get(i));
                send(index, delta, Optional.empty(), List.of());
            }
            boolean calls = !found.calls().isEmpty() || asked.tools().named().isPresent();
            send(index, Json.object(), Optional.of(reason(finish, calls)), List.of());
        }

        private void send(
                int index, ObjectNode delta, Optional<String> reason, List<Answers.Token> tokens) {
            events.send(chunk(index, delta, reason, tokens));
        }

        private ObjectNode chunk(
                int index, ObjectNode delta, Optional<String> reason, List<Answers.Token> tokens) {
            ObjectNode chunk = head(asked, id, created, "chat.completion.chunk");
            ObjectNode choice = chunk.putArray("choices").addObject().put("index", index);
            choice.set("delta", delta);
            if (asked.top().isPresent() && !tokens.isEmpty()) {
                choice.set("logprobs", Probabilities.chat(tokens, asked.engine().tokenizer()));
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

        /// The counts, if they were asked for.
        void end(Usage usage) {
            if (asked.parameters().usage()) {
                ObjectNode chunk = head(asked, id, created, "chat.completion.chunk");
                chunk.putArray("choices");
                chunk.set("usage", usage.json());
                events.send(chunk);
            }
        }
    }
}
