package dev.penjing.server.openai;

import dev.penjing.inference.api.Finish;
import dev.penjing.server.http.EventStream;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.models.AnswerService;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// The chunks of a streamed chat (OpenAI's specification 2.3.0,
/// CreateChatCompletionStreamResponse).
final class ChatChunks extends Chunks {
    private final ParsedRequest asked;
    private final Tools tools;
    private final List<ToolCalls> finders = new ArrayList<>();
    private final List<StringBuilder> forced = new ArrayList<>();

    ChatChunks(EventStream events, ParsedRequest asked, Tools tools) {
        super(
                events,
                asked,
                asked.head(ChatEndpoint.PREFIX, "chat.completion.chunk"),
                "delta",
                ChatChunks::news);
        this.asked = asked;
        this.tools = tools;
        for (int i = 0; i < asked.requests().size(); i++) {
            finders.add(new ToolCalls(tools));
            forced.add(new StringBuilder());
        }
    }

    private static ObjectNode news(String text) {
        return HttpJson.object().put("content", text);
    }

    /// The role, once for each answer, and of a call whose function is known its beginning.
    @Override
    void begin() {
        for (int i = 0; i < finders.size(); i++) {
            ObjectNode delta = HttpJson.object().put("role", "assistant");
            if (tools.named().isPresent()) {
                delta.putNull("content");
                call(delta, 0, new ToolCalls.Call(Ids.call(), tools.named().get(), ""));
            } else {
                delta.put("content", "");
            }
            delta.putNull("refusal");
            delta(i, delta);
        }
    }

    private static void call(ObjectNode delta, int index, ToolCalls.Call call) {
        ObjectNode node = delta.withArray("tool_calls").addObject().put("index", index);
        node.setAll(call.json());
    }

    @Override
    public void take(AnswerService.Part part) {
        switch (tools.choice()) {
            case NONE -> text(part, part.text());
            case AUTO -> text(part, finders.get(part.index()).add(part.text()));
            case NAMED -> arguments(part);
            case REQUIRED -> forced.get(part.index()).append(part.text());
        }
        part.finish().ifPresent(finish -> finish(part.index(), finish));
    }

    private void text(AnswerService.Part part, String text) {
        if (text.isEmpty() && part.tokens().isEmpty()) {
            return;
        }
        Optional<ObjectNode> logprobs = logprobs(part);
        if (logprobs.isEmpty()) {
            send(part.index(), text);
        } else {
            send(part.index(), news(text), logprobs, Optional.empty());
        }
    }

    private void arguments(AnswerService.Part part) {
        if (!part.text().isEmpty()) {
            ObjectNode delta = HttpJson.object();
            ObjectNode call = delta.putArray("tool_calls").addObject().put("index", 0);
            call.putObject("function").put("arguments", part.text());
            send(part.index(), delta, logprobs(part), Optional.empty());
        }
    }

    private Optional<ObjectNode> logprobs(AnswerService.Part part) {
        return asked.top().isPresent() && !part.tokens().isEmpty()
                ? Optional.of(Probabilities.chat(part.tokens(), asked.engine().tokenizer()))
                : Optional.empty();
    }

    private void finish(int index, Finish finish) {
        ToolCalls.Found found =
                switch (tools.choice()) {
                    case NONE, NAMED -> new ToolCalls.Found("", List.of());
                    case AUTO -> finders.get(index).finish();
                    case REQUIRED -> ToolCalls.found(tools, forced.get(index).toString());
                };
        if (!found.text().isEmpty()) {
            delta(index, news(found.text()));
        }
        for (int i = 0; i < found.calls().size(); i++) {
            ObjectNode delta = HttpJson.object();
            call(delta, i, found.calls().get(i));
            delta(index, delta);
        }
        boolean calls = !found.calls().isEmpty() || tools.named().isPresent();
        String reason = ChatEndpoint.reason(Service.reason(finish), calls);
        send(index, HttpJson.object(), Optional.empty(), Optional.of(reason));
    }

    private void delta(int index, ObjectNode delta) {
        send(index, delta, Optional.empty(), Optional.empty());
    }
}
