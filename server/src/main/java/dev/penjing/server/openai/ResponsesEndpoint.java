package dev.penjing.server.openai;

import dev.penjing.inference.api.Request;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.EventStream;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.models.Admission;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/responses` (OpenAI's specification 2.3.0, "Responses"), for texts and calls of functions.
public final class ResponsesEndpoint {
    private static final int MOST_KEPT = 1000;
    private static final long MOST_BYTES_KEPT = 32 << 20;

    private final Service service;
    private final ResponseStore store = new ResponseStore(MOST_KEPT, MOST_BYTES_KEPT);

    public ResponsesEndpoint(Service service) {
        this.service = service;
    }

    /// `POST /v1/responses`.
    public void handle(Exchange exchange) {
        ResponseRequest asked = ResponseRequest.of(exchange.fields(), service, store);
        int[] prompt = asked.prompt();
        List<Request> requests =
                asked.parameters().requests(prompt, asked.maxTokens(), asked.top(), 0);
        try (Admission.Ticket ticket = service.admit(asked.engine(), requests)) {
            if (asked.parameters().stream()) {
                stream(exchange, asked, requests, ticket);
            } else {
                ResponseAnswer answer = new ResponseAnswer(asked, prompt.length, Optional.empty());
                exchange.send(200, made(exchange, asked, requests, ticket, answer));
            }
        }
    }

    private void stream(
            Exchange exchange,
            ResponseRequest asked,
            List<Request> requests,
            Admission.Ticket ticket) {
        try (EventStream events = exchange.events()) {
            int promptTokens = requests.getFirst().prompt().length;
            ResponseAnswer answer = new ResponseAnswer(asked, promptTokens, Optional.of(events));
            try {
                answer.end(made(exchange, asked, requests, ticket, answer));
            } catch (ApiException e) {
                answer.fail(e);
            }
        }
    }

    /// Makes the answer, and keeps it before the client hears that it is complete.
    private ObjectNode made(
            Exchange exchange,
            ResponseRequest asked,
            List<Request> requests,
            Admission.Ticket ticket,
            ResponseAnswer answer) {
        answer.begin();
        service.make(exchange, asked.model(), requests, ticket, answer);
        ObjectNode body = answer.whole();
        if (asked.store()) {
            String conversation =
                    Messages.json(ResponseInput.continued(asked.conversation(), answer.output()));
            store.put(
                    answer.id(),
                    new ResponseStore.Stored(
                            HttpJson.bytes(body), conversation.getBytes(StandardCharsets.UTF_8)));
        }
        return body;
    }

    /// `GET /v1/responses/{id}`.
    public void get(Exchange exchange, String id) {
        if (exchange.query("stream").orElse("false").equals("true")) {
            throw ApiException.invalid("stream", "A response that is kept comes in one piece.");
        }
        ResponseStore.Stored stored = store.get(id).orElseThrow(ResponsesEndpoint::notThere);
        exchange.send(200, "application/json", stored.body());
    }

    /// `DELETE /v1/responses/{id}`.
    public void delete(Exchange exchange, String id) {
        if (!store.remove(id)) {
            throw notThere();
        }
        exchange.send(
                200,
                HttpJson.object().put("id", id).put("object", "response").put("deleted", true));
    }

    private static ApiException notThere() {
        return ApiException.invalid(
                404,
                "response_not_found",
                "There is no response of that id: it was not stored, was deleted, or is too old.");
    }
}
