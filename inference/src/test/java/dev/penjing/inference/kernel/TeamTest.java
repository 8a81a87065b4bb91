package dev.penjing.inference.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TeamTest {
    /// Every unit is done once, and done when `split` returns, however short the pieces of work are
    /// and however soon one follows the other.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void everyUnitIsDoneOnceBeforeItReturns(int members) {
        try (Team team = new Team(members)) {
            assertThat(team.members()).isEqualTo(members);
            for (int round = 0; round < 3_000; round++) {
                int units = 1 + round % 37;
                AtomicIntegerArray done = new AtomicIntegerArray(units);
                team.split(
                        units,
                        (from, to, scratch) -> {
                            for (int i = from; i < to; i++) {
                                done.incrementAndGet(i);
                            }
                        });
                for (int i = 0; i < units; i++) {
                    assertThat(done.get(i)).as("unit %d of round %d", i, round).isEqualTo(1);
                }
            }
        }
    }

    /// Two teams on the same cores do not wait for each other for ever.
    @Test
    void twoTeamsShareTheCores() throws InterruptedException {
        List<Throwable> failures = new ArrayList<>();
        List<Thread> users = new ArrayList<>();
        for (int user = 0; user < 2; user++) {
            users.add(
                    Thread.ofPlatform()
                            .uncaughtExceptionHandler((t, e) -> {
                                synchronized (failures) {
                                    failures.add(e);
                                }
                            })
                            .start(() -> everyUnitIsDoneOnceBeforeItReturns(4)));
        }
        for (Thread user : users) {
            user.join();
        }
        synchronized (failures) {
            assertThat(failures).isEmpty();
        }
    }

    /// What fails in one part is told to the caller, and the team goes on working.
    @Test
    void aFailureIsTheCallersAndTheTeamGoesOn() {
        try (Team team = new Team(3)) {
            for (int round = 0; round < 200; round++) {
                assertThatThrownBy(() ->
                                team.split(
                                        20,
                                        (from, to, scratch) -> {
                                            if (from <= 11 && 11 < to) {
                                                throw new PenjingException("unit 11 is damaged");
                                            }
                                        }))
                        .isInstanceOf(PenjingException.class)
                        .hasMessage("unit 11 is damaged");
            }
            assertThatThrownBy(() ->
                            team.split(
                                    20,
                                    (from, to, scratch) -> {
                                        throw new StackOverflowError("deep");
                                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasCauseInstanceOf(StackOverflowError.class);
            AtomicIntegerArray done = new AtomicIntegerArray(1);
            team.split(50, (from, to, scratch) -> done.addAndGet(0, to - from));
            assertThat(done.get(0)).isEqualTo(50);
        }
    }

    @Test
    void aTeamHasMembers() {
        assertThatThrownBy(() -> new Team(0)).isInstanceOf(UsageException.class);
    }
}
