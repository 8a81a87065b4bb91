package dev.penjing.server.openai;

import dev.penjing.server.http.EventStream;
import dev.penjing.server.models.AnswerService;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// The chunks of a streamed completion.
final class CompletionChunks extends Chunks {
    private final CompletionsEndpoint.Question question;

    /// Where each answer's text has come to, in characters.
    private final int[] offsets;

    CompletionChunks(EventStream events, CompletionsEndpoint.Question question) {
        super(
                events,
                question.asked(),
                question.asked().head(CompletionsEndpoint.PREFIX, CompletionsEndpoint.KIND),
                "text",
                StringNode::valueOf);
        this.question = question;
        this.offsets = new int[question.asked().requests().size()];
    }

    /// The prompts, if they are to be repeated.
    @Override
    void begin() {
        for (int i = 0; i < offsets.length && question.echo(); i++) {
            TextPrompt prompt = question.promptOf(i);
            Optional<ObjectNode> logprobs = logprobs();
            if (logprobs.isPresent()) {
                offsets[i] = question.echo(logprobs.get(), prompt);
            }
            send(i, StringNode.valueOf(question.text(prompt)), logprobs, Optional.empty());
        }
    }

    @Override
    public void take(AnswerService.Part part) {
        Optional<ObjectNode> logprobs = logprobs();
        if (logprobs.isPresent()) {
            int at = offsets[part.index()];
            offsets[part.index()] = question.offsets(logprobs.get(), part.tokens(), at);
        }
        if (part.finish().isPresent() || logprobs.isPresent() && !part.text().isEmpty()) {
            Optional<String> reason = part.finish().map(Service::reason);
            send(part.index(), StringNode.valueOf(part.text()), logprobs, reason);
        } else if (!part.text().isEmpty()) {
            send(part.index(), part.text());
        }
    }

    private Optional<ObjectNode> logprobs() {
        return question.asked().top().isPresent()
                ? Optional.of(Probabilities.completion())
                : Optional.empty();
    }
}
