package dev.penjing.server.openai;

import dev.penjing.inference.api.Finish;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.EventStream;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.models.AnswerService;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A response in the making (OpenAI's specification 2.3.0, Response), and the events that tell of
/// it if it is streamed (ResponseStreamEvent). It is the same response either way.
final class ResponseAnswer implements AnswerService.Taker {
    private final ResponseRequest asked;
    private final int promptTokens;
    private final Optional<EventStream> events;
    private final String id = Ids.of("resp_");
    private final long created = now();
    private final ToolCalls finder;

    /// The answer, where it becomes a call only when it has ended.
    private final StringBuilder held = new StringBuilder();

    /// Items that are complete.
    private final List<ObjectNode> output = new ArrayList<>();

    private Optional<Item> open = Optional.empty();

    /// Tokens whose text may yet become a call.
    private final List<AnswerService.Token> waiting = new ArrayList<>();

    private Optional<Finish> finish = Optional.empty();
    private int sequence;

    /// An item that grows.
    ///
    /// @param name of the function that is called; empty if it is a message
    private record Item(
            String id,
            Optional<String> name,
            String callId,
            StringBuilder text,
            List<AnswerService.Token> tokens) {}

    /// @param events empty if the response is wanted in one piece
    ResponseAnswer(ResponseRequest asked, int promptTokens, Optional<EventStream> events) {
        this.asked = asked;
        this.promptTokens = promptTokens;
        this.events = events;
        this.finder = new ToolCalls(asked.tools());
    }

    private static long now() {
        return System.currentTimeMillis() / 1000;
    }

    String id() {
        return id;
    }

    List<ObjectNode> output() {
        return output;
    }

    /// That it has begun, and of a call whose function is known its beginning.
    void begin() {
        send(event("response.created").set("response", json("in_progress")));
        send(event("response.in_progress").set("response", json("in_progress")));
        asked.tools().named().ifPresent(name -> open(Ids.call(), Optional.of(name)));
    }

    @Override
    public void take(AnswerService.Part part) {
        switch (asked.tools().choice()) {
            case NONE -> text(part.text(), part.tokens());
            case AUTO -> text(finder.add(part.text()), part.tokens());
            case NAMED -> arguments(part.text());
            case REQUIRED -> {
                held.append(part.text());
                text("", part.tokens());
            }
        }
        part.finish().ifPresent(this::finish);
    }

    @Override
    public boolean patient() {
        return events.isEmpty();
    }

    @Override
    public void caughtUp() {
        events.ifPresent(EventStream::flush);
    }

    @Override
    public void quiet() {
        events.ifPresent(EventStream::pingIfQuiet);
    }

    private void finish(Finish last) {
        finish = Optional.of(last);
        ToolCalls.Found found =
                switch (asked.tools().choice()) {
                    case NONE, NAMED -> new ToolCalls.Found("", List.of());
                    case AUTO -> finder.finish();
                    case REQUIRED -> ToolCalls.found(asked.tools(), held.toString());
                };
        if (!found.calls().isEmpty()) {
            waiting.clear();
        }
        text(found.text(), List.of());
        if (open.isEmpty() && found.calls().isEmpty()) {
            open("", Optional.empty());
        }
        open.ifPresent(item -> close(item, complete() ? "completed" : "incomplete"));
        for (ToolCalls.Call call : found.calls()) {
            Item item = open(call.id(), Optional.of(call.name()));
            arguments(call.arguments());
            close(item, "completed");
        }
    }

    private boolean complete() {
        return finish.map(f -> Service.reason(f).equals("stop")).orElse(false);
    }

    private void text(String text, List<AnswerService.Token> tokens) {
        waiting.addAll(tokens);
        if (text.isEmpty()) {
            return;
        }
        Item item = open.orElseGet(() -> open("", Optional.empty()));
        item.text().append(text);
        item.tokens().addAll(waiting);
        ObjectNode event = of(item, "response.output_text.delta").put("content_index", 0);
        event.put("delta", text);
        event.set("logprobs", probabilities(waiting, false));
        send(event);
        waiting.clear();
    }

    private void arguments(String text) {
        if (!text.isEmpty()) {
            Item item = open.orElseThrow();
            item.text().append(text);
            send(of(item, "response.function_call_arguments.delta").put("delta", text));
        }
    }

    private Item open(String callId, Optional<String> name) {
        Item item =
                new Item(
                        Ids.of(name.isPresent() ? "fc_" : "msg_"),
                        name,
                        callId,
                        new StringBuilder(),
                        new ArrayList<>());
        open = Optional.of(item);
        ObjectNode shown = json(item, "in_progress");
        if (name.isEmpty()) {
            shown.putArray("content");
        }
        send(placed("response.output_item.added").set("item", shown));
        if (name.isEmpty()) {
            ObjectNode event = of(item, "response.content_part.added").put("content_index", 0);
            send(event.set("part", content(item)));
        }
        return item;
    }

    private void close(Item item, String status) {
        String text = item.text().toString();
        if (item.name().isPresent()) {
            ObjectNode event = of(item, "response.function_call_arguments.done");
            send(event.put("name", item.name().get()).put("arguments", text));
        } else {
            ObjectNode event = of(item, "response.output_text.done").put("content_index", 0);
            event.put("text", text);
            event.set("logprobs", probabilities(item.tokens(), false));
            send(event);
            ObjectNode part = of(item, "response.content_part.done").put("content_index", 0);
            send(part.set("part", content(item)));
        }
        ObjectNode whole = json(item, status);
        send(placed("response.output_item.done").set("item", whole));
        output.add(whole);
        open = Optional.empty();
    }

    private ObjectNode json(Item item, String status) {
        ObjectNode node = HttpJson.object().put("id", item.id());
        if (item.name().isPresent()) {
            node.put("type", "function_call").put("status", status);
            node.put("call_id", item.callId()).put("name", item.name().get());
            node.put("arguments", item.text().toString());
        } else {
            node.put("type", "message").put("status", status).put("role", "assistant");
            node.putArray("content").add(content(item));
        }
        return node;
    }

    private ObjectNode content(Item item) {
        ObjectNode part = HttpJson.object().put("type", "output_text");
        part.put("text", item.text().toString());
        part.putArray("annotations");
        part.set("logprobs", probabilities(item.tokens(), true));
        return part;
    }

    private ArrayNode probabilities(List<AnswerService.Token> tokens, boolean withBytes) {
        Tokenizer tokenizer = asked.engine().tokenizer();
        return asked.top().isPresent()
                ? Probabilities.list(tokens, tokenizer, withBytes)
                : HttpJson.array();
    }

    /// The response as it is when the answer has ended.
    ObjectNode whole() {
        ObjectNode body = json(complete() ? "completed" : "incomplete");
        if (complete()) {
            body.put("completed_at", now());
        } else {
            // the answer's limit, the context's, or that of time
            body.putObject("incomplete_details").put("reason", "max_output_tokens");
        }
        return body;
    }

    /// Tells of the response that has ended.
    void end(ObjectNode whole) {
        send(event("response." + whole.path("status").asString()).set("response", whole));
    }

    /// Tells that there will be no more of it.
    void fail(ApiException problem) {
        ObjectNode body = json("failed");
        body.putObject("error").put("code", "server_error").put("message", problem.message());
        String name = "response.failed";
        ObjectNode event = event(name);
        event.set("response", body);
        events.ifPresent(stream -> stream.fail(problem, name, event));
    }

    private ObjectNode json(String status) {
        ObjectNode node = HttpJson.object();
        node.put("id", id).put("object", "response").put("created_at", created);
        node.put("status", status).put("background", false).putNull("completed_at");
        node.putNull("error").putNull("incomplete_details");
        node.setAll(asked.echo());
        node.putObject("reasoning").putNull("effort").putNull("summary");
        ArrayNode items = node.putArray("output");
        output.forEach(items::add);
        finish.ifPresent(
                last -> node.set("usage", Usage.of(promptTokens, List.of(last)).response()));
        return node;
    }

    private ObjectNode event(String type) {
        return HttpJson.object().put("type", type).put("sequence_number", sequence++);
    }

    /// Of the item that comes next in the output.
    private ObjectNode placed(String type) {
        return event(type).put("output_index", output.size());
    }

    private ObjectNode of(Item item, String type) {
        return placed(type).put("item_id", item.id());
    }

    private void send(ObjectNode event) {
        events.ifPresent(stream -> stream.send(event.path("type").asString(), event));
    }
}
