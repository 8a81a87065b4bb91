package dev.penjing.server.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.api.Finish;
import dev.penjing.server.models.AnswerService;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ServiceTest {
    private record Recorder(String name, List<String> calls) implements AnswerService.Taker {
        @Override
        public void take(AnswerService.Part part) {
            calls.add(name + " takes " + part.text());
        }

        @Override
        public void ended(int index, Finish finish) {
            calls.add(name + " hears of the end of " + index);
        }
    }

    /// The endpoint hears all that the observer hears, the end of each answer too.
    @Test
    void theObserverKeepsNothingFromTheEndpoint() {
        List<String> calls = new ArrayList<>();
        AnswerService.Taker both =
                Service.both(new Recorder("observer", calls), new Recorder("endpoint", calls));
        both.take(new AnswerService.Part(0, 0, "a", List.of(), Optional.empty()));
        both.ended(1, new Finish(Finish.Reason.STOP, 1, 0, 1, 0, 0, 0, 0, 0));
        assertThat(calls)
                .containsExactly(
                        "observer takes a",
                        "endpoint takes a",
                        "observer hears of the end of 1",
                        "endpoint hears of the end of 1");
    }
}
