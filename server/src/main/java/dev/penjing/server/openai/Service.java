package dev.penjing.server.openai;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Request;
import dev.penjing.model.PenjingException;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.EventStream;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.JsonFields;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.AnswerService;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/// What all endpoints that answer have in common.
///
/// @param defaultMaxTokens of an answer whose request does not say
/// @param most time for a request; then its answers end where they are
public record Service(ServedModels models, int defaultMaxTokens, Duration most, Observer observer) {
    /// Is told of every request that reaches an engine.
    public interface Observer {
        /// @param requests one for each answer
        /// @return what is told of the answers
        AnswerService.Taker started(ServedModel model, List<Request> requests);
    }

    /// The model that a request names.
    ServedModel model(JsonFields fields) {
        return models.get(
                fields.text("model").orElseThrow(() -> fields.wrong("model", "is required")));
    }

    /// Lets requests in. Before that nothing was spent on them but the reading of their prompts.
    ///
    /// @throws ApiException if one does not fit into the context, or the queue is full
    Admission.Ticket admit(Engine engine, List<Request> requests) {
        long tokens = 0;
        for (Request request : requests) {
            int length = request.prompt().length;
            if (length >= engine.contextLength()) {
                throw ApiException.tooLong(
                        "This model's maximum context length is %d tokens; the prompt alone takes %d: send less text."
                                .formatted(engine.contextLength(), length));
            }
            tokens += length;
        }
        return models.admission().enter(requests.size(), tokens);
    }

    /// Makes the answers to a request that was let in, and has them whole.
    List<CollectedAnswer> made(Exchange exchange, ParsedRequest asked, Admission.Ticket ticket) {
        List<CollectedAnswer> all =
                asked.requests().stream().map(request -> new CollectedAnswer()).toList();
        AnswerService.Taker taker =
                new AnswerService.Taker() {
                    @Override
                    public void take(AnswerService.Part part) {
                        all.get(part.index()).take(part);
                    }

                    @Override
                    public boolean patient() {
                        return true;
                    }
                };
        make(exchange, asked.model(), asked.requests(), ticket, taker);
        return all;
    }

    /// Makes the answers to a request that was let in, and sends them as they come.
    ///
    /// @param form makes the chunks
    void stream(
            Exchange exchange,
            ParsedRequest asked,
            Admission.Ticket ticket,
            Function<EventStream, Chunks> form) {
        try (EventStream events = exchange.events()) {
            Chunks chunks = form.apply(events);
            try {
                chunks.begin();
                List<Finish> all = make(exchange, asked.model(), asked.requests(), ticket, chunks);
                chunks.end(Usage.of(asked.promptTokens(), all));
            } catch (ApiException e) {
                events.fail(e);
            } catch (PenjingException e) {
                // of the engine, such as one that was closed while it scored an echoed prompt
                events.fail(ApiException.internal("The engine failed over this answer.", e));
            }
        }
    }

    /// Makes the answers to requests that were let in.
    List<Finish> make(
            Exchange exchange,
            ServedModel model,
            List<Request> requests,
            Admission.Ticket ticket,
            AnswerService.Taker taker) {
        AnswerService.Taker both = both(observer.started(model, requests), taker);
        return models.answer(model, requests, ticket, exchange.client()::gone, most, both);
    }

    /// The endpoint's taker, and before it the observer's.
    static AnswerService.Taker both(AnswerService.Taker observed, AnswerService.Taker taker) {
        return new AnswerService.Taker() {
            @Override
            public void take(AnswerService.Part part) {
                observed.take(part);
                taker.take(part);
            }

            @Override
            public boolean patient() {
                return taker.patient();
            }

            @Override
            public void caughtUp() {
                taker.caughtUp();
            }

            @Override
            public void quiet() {
                taker.quiet();
            }

            @Override
            public void ended(int index, Finish finish) {
                observed.ended(index, finish);
                taker.ended(index, finish);
            }
        };
    }

    /// `stop`, or `length` where an answer did not come to its own end.
    static String reason(Finish finish) {
        return switch (finish.reason()) {
            case STOP -> "stop";
            case LENGTH, DEAD_END, CANCELLED -> "length";
            case FAILED ->
                    throw new IllegalStateException("an answer that failed is shown as finished");
        };
    }

    static String fingerprint(Engine engine) {
        return "penjing-" + engine.quantization().toLowerCase(java.util.Locale.ROOT);
    }
}
