package dev.penjing.inference.scoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.inference.FakePass;
import dev.penjing.inference.forward.Batch;
import dev.penjing.inference.scheduling.Scheduler;
import dev.penjing.model.PenjingException;
import dev.penjing.model.language.ScoredText;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScoringJobTest {
    private static final int BLOCK = 4;

    private static double[] score(Scheduler scheduler, List<ScoredText> texts) {
        double[] sums = new double[texts.size()];
        new ScoringJob(
                        scheduler,
                        BLOCK,
                        texts,
                        (text, index, logits, at, norm) ->
                                sums[text] += logits[at + texts.get(text).ids()[index]] - norm)
                .run();
        return sums;
    }

    private static double expected(FakePass pass, ScoredText text) {
        double sum = 0;
        for (int i = text.from(); i < text.ids().length; i++) {
            float[] logits = pass.logits(Arrays.copyOf(text.ids(), i));
            sum += logits[text.ids()[i]] - pass.logSumExp(logits, 0);
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({"1000, 100", "16, 100", "15, 7", "40, 3"})
    void everyTokenIsScoredByWhatStandsBeforeIt(int blocks, int rows) {
        FakePass pass = new FakePass(blocks, BLOCK, ScoredTexts.VOCABULARY, rows);
        List<ScoredText> texts = ScoredTexts.random(new Random(blocks), 60, 60);
        try (Scheduler scheduler = new Scheduler(pass, Optional.empty(), 2, 1)) {
            double[] sums = score(scheduler, texts);
            for (int i = 0; i < sums.length; i++) {
                assertThat(sums[i]).isCloseTo(expected(pass, texts.get(i)), within(1e-9));
            }
            scheduler.close();
            assertThat(scheduler.load().freeBlocks()).isEqualTo(blocks);
        }
    }

    @Test
    void whatTextsShareGoesThroughTheModelOnce() {
        FakePass pass = new FakePass(100, BLOCK, ScoredTexts.VOCABULARY, 50);
        int[] ids = new Random(1).ints(101, 1, ScoredTexts.VOCABULARY).toArray();
        ScoredText[] texts = new ScoredText[10];
        for (int i = 0; i < texts.length; i++) {
            int[] own = ids.clone();
            own[98] = i;
            texts[i] = new ScoredText(own, 90);
        }
        try (Scheduler scheduler = new Scheduler(pass, Optional.empty(), 2, 1)) {
            score(scheduler, List.of(texts));
        }
        assertThat(pass.rows()).isEqualTo(98 + 10 * 2);
    }

    @Test
    void aPassThatFailsIsTheCallersFailure() {
        FakePass pass =
                new FakePass(100, BLOCK, ScoredTexts.VOCABULARY, 50) {
                    @Override
                    public float[] forward(Batch batch) {
                        throw new IllegalStateException("a worker failed");
                    }
                };
        try (Scheduler scheduler = new Scheduler(pass, Optional.empty(), 2, 1)) {
            assertThatThrownBy(
                            () -> score(scheduler, List.of(new ScoredText(new int[] {1, 2, 3}, 1))))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("a worker failed")
                    .hasRootCauseInstanceOf(IllegalStateException.class);
            scheduler.close();
            assertThat(scheduler.load().freeBlocks()).isEqualTo(100);
        }
    }
}
