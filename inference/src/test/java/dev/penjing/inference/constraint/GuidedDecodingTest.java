package dev.penjing.inference.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.UsageException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GuidedDecodingTest {
    private static final Constraint NAMES =
            Constraint.schema(
                    """
                    {"type": "array", "items": {"type": "string", "maxLength": 30}}
                    """);

    private static Constraints constraints() {
        return new Constraints(ConstraintTest.TOKENIZER, List.of(ConstraintTest.END), vocabulary());
    }

    private static int vocabulary() {
        return ConstraintTest.TOKENIZER.vocabularySize();
    }

    /// Workers find what the thread that draws would find itself.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void masksFoundAheadAreTheSame(int seed) {
        Random random = new Random(seed);
        Queue<Runnable> tasks = new ArrayDeque<>();
        List<Boolean> found = new ArrayList<>();
        GuidedDecoding guided =
                new GuidedDecoding(constraints().begin(NAMES), tasks::add, () -> found.add(true));
        Matcher plain = constraints().begin(NAMES);
        int waited = 0;
        for (int i = 0; i < 60 && !plain.ended(); i++) {
            while (!guided.ready()) {
                waited++;
                int before = found.size();
                tasks.remove().run();
                assertThat(tasks.isEmpty()).isEqualTo(found.size() > before);
            }
            assertThat(guided.mask()).isEqualTo(plain.mask());
            int[] all = BitSet.valueOf(plain.mask()).stream().toArray();
            int id = all[random.nextInt(all.length)];
            assertThat(guided.accept(id)).isEqualTo(Matcher.Step.TAKEN);
            assertThat(plain.accept(id)).isTrue();
            assertThat(guided.ended()).isEqualTo(plain.ended());
        }
        assertThat(waited).isPositive();
    }

    @Test
    void whatSomebodyElseFoundIsNotWaitedFor() {
        Constraints constraints = constraints();
        GuidedDecoding guided = new GuidedDecoding(constraints.begin(NAMES), task -> {}, () -> {});
        int bracket = ConstraintTest.TOKENIZER.encode("[")[0];
        guided.accept(bracket);
        assertThat(guided.ready()).isFalse();
        Matcher other = constraints.begin(NAMES);
        other.accept(bracket);
        other.mask();
        assertThat(guided.ready()).isTrue();
        assertThat(guided.mask()).isEqualTo(other.mask());
    }

    @Test
    void aTokenThatMayNotComeIsRefused() {
        GuidedDecoding guided =
                new GuidedDecoding(constraints().begin(NAMES), Runnable::run, () -> {});
        assertThat(guided.accept(ConstraintTest.END)).isEqualTo(Matcher.Step.REFUSED);
        assertThat(guided.mask()).isEqualTo(constraints().begin(NAMES).mask());
    }

    @Test
    void whatWouldTakeTooMuchWorkIsLeftAsItIs() {
        Matcher matcher = constraints().begin(NAMES);
        int bracket = ConstraintTest.TOKENIZER.encode("[")[0];
        int quote = ConstraintTest.TOKENIZER.encode("\"")[0];
        // known from the first mask
        assertThat(matcher.accept(bracket, 0)).isEqualTo(Matcher.Step.TAKEN);
        assertThat(matcher.accept(quote, 1)).isEqualTo(Matcher.Step.PENDING);
        assertThat(matcher.accept(quote, 1000)).isEqualTo(Matcher.Step.TAKEN);
        assertThat(matcher.mask(10)).isEmpty();
        Matcher other = constraints().begin(NAMES);
        other.accept(bracket);
        other.accept(quote);
        assertThat(matcher.mask()).isEqualTo(other.mask());
        // once it was found it costs nothing
        assertThat(matcher.mask(0)).isPresent();
    }

    @Test
    void aConstraintWhoseMasksTakeTooMuchWorkIsRefused() {
        Constraints strict =
                new Constraints(ConstraintTest.TOKENIZER, List.of(), vocabulary(), 100);
        assertThatThrownBy(() -> strict.begin(NAMES))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("too many ways");
        // one that begins with little work, and has more later
        Constraint later = Constraint.regex("abc[a-z ]*");
        long enough = cost(later, "");
        assertThat(cost(later, "abc")).isGreaterThan(enough);
        Constraints less =
                new Constraints(ConstraintTest.TOKENIZER, List.of(), vocabulary(), enough);
        CompletableFuture<Boolean> told = new CompletableFuture<>();
        GuidedDecoding guided =
                new GuidedDecoding(less.begin(later), Runnable::run, () -> told.complete(true));
        for (int letter : letters("abc")) {
            guided.mask();
            guided.accept(letter);
        }
        assertThat(told).isDone();
        assertThatThrownBy(guided::mask).isInstanceOf(UsageException.class);
    }

    private static int[] letters(String text) {
        return text.chars()
                .map(c -> ConstraintTest.TOKENIZER.encode(String.valueOf((char) c))[0])
                .toArray();
    }

    /// What the mask behind a text costs, or less than twice as much.
    private static long cost(Constraint constraint, String text) {
        Masks masks =
                new Constraints(ConstraintTest.TOKENIZER, List.of(), vocabulary())
                        .masks(constraint);
        Matcher matcher = new Matcher(masks, masks.start(), java.util.Set.of());
        for (int letter : letters(text)) {
            assertThat(matcher.accept(letter)).isTrue();
        }
        long work = 1;
        while (matcher.mask(work).isEmpty()) {
            work *= 2;
        }
        return work;
    }

    /// Without a lock: threads that walk at once, and find the same.
    @Test
    void threadsDoNotDisturbEachOther() {
        Constraints shared = constraints();
        List<CompletableFuture<List<Integer>>> walks = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            int seed = i % 4;
            walks.add(CompletableFuture.supplyAsync(() -> walk(shared.begin(NAMES), seed)));
        }
        for (int i = 0; i < 8; i++) {
            assertThat(walks.get(i).join()).isEqualTo(walk(constraints().begin(NAMES), i % 4));
        }
    }

    private static List<Integer> walk(Matcher matcher, int seed) {
        Random random = new Random(seed);
        List<Integer> ids = new ArrayList<>();
        while (ids.size() < 80 && !matcher.ended()) {
            int[] all = BitSet.valueOf(matcher.mask()).stream().toArray();
            int id = all[random.nextInt(all.length)];
            matcher.accept(id);
            ids.add(id);
        }
        return ids;
    }
}
