package dev.penjing.server.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.model.Progress;
import dev.penjing.server.Teachers;
import dev.penjing.server.http.ApiException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Answers in the making, without HTTP.
@Timeout(120)
class AnswerServiceTest {
    private static final Executor THREADS = task -> Thread.ofVirtual().start(task);

    private static Engine engine;
    private static WakeupCoalescer coalescer;

    @BeforeAll
    static void load() {
        engine = engine();
        coalescer = new WakeupCoalescer();
    }

    @AfterAll
    static void close() {
        coalescer.close();
        engine.close();
    }

    private static Engine engine() {
        return Engine.load(
                Path.of("..", "teacher"), EngineOptions.DEFAULT.withThreads(1), Progress.NONE);
    }

    private static Request request(String text) {
        return Request.of(engine.tokenizer().encode(text), 40, Sampling.GREEDY).endless();
    }

    /// Collects a text, and does something first with each part.
    private static final class Collector implements AnswerService.Taker {
        final StringBuilder text = new StringBuilder();
        final List<Integer> ended = Collections.synchronizedList(new ArrayList<>());
        private final Runnable first;

        Collector(Runnable first) {
            this.first = first;
        }

        @Override
        public void take(AnswerService.Part part) {
            first.run();
            text.append(part.text());
        }

        @Override
        public void ended(int index, Finish finish) {
            ended.add(index);
        }
    }

    private static List<Finish> make(
            Engine by, Admission admission, List<Request> requests, AnswerService.Taker taker) {
        try (Admission.Ticket ticket = admission.enter(requests.size(), requests.size())) {
            return AnswerService.make(
                    by, requests, ticket, coalescer, () -> false, Duration.ofMinutes(1), taker);
        }
    }

    /// What one client's taker throws ends that client's answers, and nobody else's.
    @Test
    void aTakerThatThrowsDisturbsNobodyElse() throws Exception {
        Admission admission = new Admission(16, 1000);
        Collector alone = new Collector(() -> {});
        make(engine, admission, List.of(request("Cora lives in")), alone);
        CountDownLatch failed = new CountDownLatch(1);
        Collector beside =
                new Collector(
                        () -> {
                            try {
                                failed.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });
        CompletableFuture<List<Finish>> other =
                CompletableFuture.supplyAsync(
                        () ->
                                make(
                                        engine,
                                        admission,
                                        List.of(request("Cora lives in")),
                                        beside),
                        THREADS);
        Collector broken =
                new Collector(
                        () -> {
                            throw new IllegalStateException("a defect of this endpoint");
                        });
        List<Request> two = List.of(request("The owl"), request("The fox"));
        assertThatThrownBy(() -> make(engine, admission, two, broken))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a defect of this endpoint");
        failed.countDown();
        assertThat(broken.ended).containsExactly(0, 1);
        assertThat(other.join().getFirst().reason()).isEqualTo(Finish.Reason.LENGTH);
        assertThat(beside.text.toString()).isEqualTo(alone.text.toString()).isNotEmpty();
        assertThat(engine.alive()).isTrue();
        assertThat(admission.active()).isZero();
        assertThat(admission.waiting()).isZero();
    }

    /// A request that the engine refuses is the client's to mend.
    @Test
    void whatTheEngineRefusesIs400() {
        int outside = engine.config().vocabularySize();
        Request refused = Request.of(new int[] {outside}, 4, Sampling.GREEDY);
        assertThatThrownBy(
                        () ->
                                make(
                                        engine,
                                        new Admission(4, 100),
                                        List.of(refused),
                                        new Collector(() -> {})))
                .isInstanceOfSatisfying(
                        ApiException.class,
                        e -> {
                            assertThat(e.status()).isEqualTo(400);
                            assertThat(e.message()).contains("vocabulary");
                        });
    }

    /// An engine that lives, but fails over an answer, makes it an error with its cause.
    @Test
    void anEngineThatFailsOverAnAnswerIs500(@TempDir Path folder) {
        Teachers.broken(folder.resolve("broken"));
        try (Engine broken =
                Engine.load(
                        folder.resolve("broken"),
                        EngineOptions.DEFAULT.withThreads(1),
                        Progress.NONE)) {
            Collector collector = new Collector(() -> {});
            assertThatThrownBy(
                            () ->
                                    make(
                                            broken,
                                            new Admission(4, 100),
                                            List.of(request("Cora lives in")),
                                            collector))
                    .isInstanceOfSatisfying(
                            ApiException.class,
                            e -> {
                                assertThat(e.status()).isEqualTo(500);
                                assertThat(e).cause().isNotNull();
                            });
            assertThat(collector.text).isEmpty();
            assertThat(broken.alive()).isTrue();
        }
    }

    /// An engine that has ended is not, whether it ends before the request or over it.
    @Test
    void anEngineThatEndedIs503() {
        Engine mortal = engine();
        Collector ends = new Collector(mortal::close);
        for (String when : List.of("over it", "before it")) {
            assertThatThrownBy(
                            () ->
                                    make(
                                            mortal,
                                            new Admission(4, 100),
                                            List.of(request("Cora lives in")),
                                            ends))
                    .as(when)
                    .isInstanceOfSatisfying(
                            ApiException.class,
                            e -> {
                                assertThat(e.status()).isEqualTo(503);
                                assertThat(e.code()).contains("aborted");
                            });
        }
    }
}
