package dev.penjing.server;

import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/// What a stream of LangChain4j's brought.
class LangChain4jStream implements StreamingChatResponseHandler {
    final StringBuilder text = new StringBuilder();
    final Queue<CompleteToolCall> calls = new ConcurrentLinkedQueue<>();
    final CompletableFuture<ChatResponse> end = new CompletableFuture<>();

    @Override
    public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
        text.append(part.text());
    }

    @Override
    public void onCompleteToolCall(CompleteToolCall call) {
        calls.add(call);
    }

    @Override
    public void onCompleteResponse(ChatResponse response) {
        end.complete(response);
    }

    @Override
    public void onError(Throwable error) {
        end.completeExceptionally(error);
    }

    ChatResponse await() {
        return end.orTimeout(30, TimeUnit.SECONDS).join();
    }

    /// All of an answer.
    static LangChain4jStream of(OpenAiStreamingChatModel model, ChatRequest request) {
        LangChain4jStream stream = new LangChain4jStream();
        model.chat(request, stream);
        stream.await();
        return stream;
    }
}
