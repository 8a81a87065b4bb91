package dev.penjing.server.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.server.http.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    @Test
    void requestsBeyondTheQueueAreRefusedUntilTheEngineBegins() {
        Admission queue = new Admission(3, 1_000_000);
        Admission.Ticket two = queue.enter(2, 10);
        Admission.Ticket one = queue.enter(1, 10);
        assertThat(queue.waiting()).isEqualTo(3);
        assertThatThrownBy(() -> queue.enter(1, 1))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("3 requests with 20 prompt tokens are waiting already");
        two.began(0);
        two.began(0); // is counted once
        assertThat(queue.waiting()).isEqualTo(2);
        Admission.Ticket next = queue.enter(1, 1);
        assertThat(queue.active()).isEqualTo(3);
        two.close();
        two.close();
        one.close();
        next.close();
        assertThat(queue.waiting()).isZero();
        assertThat(queue.active()).isZero();
    }

    /// One request that is larger than the queue is let into an empty one: it will never be
    /// smaller.
    @Test
    void promptsAreCountedByTheirTokens() {
        Admission queue = new Admission(100, 50);
        Admission.Ticket large = queue.enter(1, 500);
        assertThatThrownBy(() -> queue.enter(1, 1)).isInstanceOf(ApiException.class);
        large.began(0);
        queue.enter(3, 31).close();
        large.close();
        Admission.Ticket some = queue.enter(3, 31); // 11, 10 and 10
        assertThatThrownBy(() -> queue.enter(1, 20)).isInstanceOf(ApiException.class);
        some.began(0);
        queue.enter(1, 20).close();
        some.close();
    }

    @Test
    void drainingLetsNobodyInAndWaitsForThoseWhoAre() throws InterruptedException {
        Admission queue = new Admission(3, 100);
        Admission.Ticket last = queue.enter(1, 1);
        queue.drain();
        assertThat(queue.draining()).isTrue();
        assertThatThrownBy(() -> queue.enter(1, 1)).hasMessageContaining("shutting down");
        assertThat(queue.awaitEmpty(1)).isFalse();
        Thread leaves = Thread.ofVirtual().start(last::close);
        assertThat(queue.awaitEmpty(60_000_000_000L)).isTrue();
        leaves.join();
    }

    /// Whatever comes and goes, the counts come back to nothing.
    @Test
    void nothingIsLeftOver() {
        Random random = new Random(1);
        Admission queue = new Admission(1_000_000, 1_000_000_000);
        List<Admission.Ticket> open = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            if (open.isEmpty() || random.nextBoolean()) {
                int answers = 1 + random.nextInt(4);
                Admission.Ticket ticket = queue.enter(answers, random.nextInt(1000));
                ticket.began(random.nextInt(answers));
                open.add(ticket);
            } else {
                open.remove(random.nextInt(open.size())).close();
            }
        }
        open.forEach(Admission.Ticket::close);
        assertThat(queue.active()).isZero();
        assertThat(queue.waiting()).isZero();
        queue.enter(1, 1_000_000_000).close(); // no token is left counted
        Admission.Ticket whole = queue.enter(1, 999_999_999);
        queue.enter(1, 1).close();
        whole.close();
    }
}
