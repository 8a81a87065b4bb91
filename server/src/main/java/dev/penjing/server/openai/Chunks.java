package dev.penjing.server.openai;

import dev.penjing.server.http.EventStream;
import dev.penjing.server.http.JsonTemplate;
import dev.penjing.server.models.AnswerService;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A stream of chunks, each with news of one answer.
abstract class Chunks implements AnswerService.Taker {
    private final String field;
    private final EventStream events;
    private final ParsedRequest.Head head;
    private final boolean usage;

    private final Function<String, JsonNode> news;

    /// Chunks that bring nothing but text, of each answer that had one.
    private final Map<Integer, JsonTemplate> plain = new HashMap<>();

    /// @param field where a choice holds what there is new
    /// @param news a text as it stands there
    Chunks(
            EventStream events,
            ParsedRequest asked,
            ParsedRequest.Head head,
            String field,
            Function<String, JsonNode> news) {
        this.field = field;
        this.events = events;
        this.head = head;
        this.usage = asked.parameters().usage();
        this.news = news;
    }

    /// Sends what comes before the first token.
    abstract void begin();

    /// Sends a text alone.
    final void send(int index, String text) {
        events.send(plain.computeIfAbsent(index, this::template), text);
    }

    private JsonTemplate template(int index) {
        return new JsonTemplate(
                text -> chunk(index, news.apply(text), Optional.empty(), Optional.empty()));
    }

    /// @param reason why the answer ended, if it did
    final void send(
            int index, JsonNode news, Optional<ObjectNode> logprobs, Optional<String> reason) {
        events.send(chunk(index, news, logprobs, reason));
    }

    private ObjectNode chunk(
            int index, JsonNode news, Optional<ObjectNode> logprobs, Optional<String> reason) {
        ObjectNode chunk = head.json();
        ObjectNode choice = chunk.putArray("choices").addObject().put("index", index);
        choice.set(field, news);
        choice.set("logprobs", logprobs.orElse(null));
        choice.put("finish_reason", reason.orElse(null));
        if (usage) {
            chunk.putNull("usage");
        }
        return chunk;
    }

    @Override
    public final void caughtUp() {
        events.flush();
    }

    @Override
    public final void quiet() {
        events.pingIfQuiet();
    }

    /// Sends the counts, if they were asked for, and that this is all.
    final void end(Usage counts) {
        if (usage) {
            ObjectNode chunk = head.json();
            chunk.putArray("choices");
            chunk.set("usage", counts.json());
            events.send(chunk);
        }
        events.done();
    }
}
