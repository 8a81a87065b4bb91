package dev.penjing.inference.scoring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.model.language.ScoredText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SharedPrefixesTest {
    private static final int BLOCK = 32;

    @Test
    void whatTextsShareIsPlannedOnce() {
        int[] shots = new Random(1).ints(100, 1, ScoredTexts.VOCABULARY).toArray();
        List<ScoredText> texts = new ArrayList<>();
        for (int question = 0; question < 10; question++) {
            int[] ids = Arrays.copyOf(shots, 121);
            Arrays.fill(ids, 100, 120, 1 + question);
            for (int answer = 0; answer < 4; answer++) {
                ids[120] = 50 + answer;
                texts.add(new ScoredText(ids.clone(), 120));
            }
        }
        Collections.shuffle(texts, new Random(1));
        List<List<SharedPrefixes.Branch>> chains = SharedPrefixes.plan(texts, BLOCK);
        assertThat(chains).hasSize(1);
        assertThat(chains.getFirst()).hasSize(10);
        int rows = chains.getFirst().stream().mapToInt(b -> b.inputs - b.shared).sum();
        assertThat(rows).isEqualTo(100 + 10 * 20);
        assertThat(chains.getFirst()).allMatch(b -> b.claims().size() == 4);
        assertThat(chains.getFirst()).allMatch(b -> b.firstWanted() == 119);
    }

    @Test
    void everyScoreIsClaimedOnceByABranchThatComputesIt() {
        Random random = new Random(4);
        for (int round = 0; round < 300; round++) {
            List<ScoredText> texts = ScoredTexts.random(random, 1 + random.nextInt(20), 60);
            List<BitSet> claimed = new ArrayList<>();
            texts.forEach(text -> claimed.add(new BitSet()));
            for (List<SharedPrefixes.Branch> chain : SharedPrefixes.plan(texts, BLOCK)) {
                int[] before = new int[0];
                for (SharedPrefixes.Branch branch : chain) {
                    assertThat(Arrays.copyOf(branch.ids, branch.shared))
                            .isEqualTo(Arrays.copyOf(before, branch.shared));
                    before = branch.ids;
                    for (SharedPrefixes.Claim claim : branch.claims()) {
                        assertThat(claim.from()).isGreaterThanOrEqualTo(branch.shared);
                        assertThat(claim.to()).isLessThanOrEqualTo(branch.inputs);
                        int[] ids = texts.get(claim.text()).ids();
                        assertThat(Arrays.copyOf(ids, claim.to()))
                                .isEqualTo(Arrays.copyOf(branch.ids, claim.to()));
                        for (int p = claim.from(); p < claim.to(); p++) {
                            assertThat(claimed.get(claim.text()).get(p)).isFalse();
                            claimed.get(claim.text()).set(p);
                        }
                    }
                }
            }
            for (int i = 0; i < texts.size(); i++) {
                BitSet all = new BitSet();
                all.set(texts.get(i).from() - 1, texts.get(i).ids().length - 1);
                assertThat(claimed.get(i)).isEqualTo(all);
            }
        }
    }
}
