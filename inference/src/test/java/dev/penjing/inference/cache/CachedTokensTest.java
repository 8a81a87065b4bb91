package dev.penjing.inference.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.FakePass;
import dev.penjing.inference.forward.Batch;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CachedTokensTest {
    private static final int BLOCK = 4;
    private final FakePass pass = new FakePass(40, BLOCK, 50, 100);
    private final BlockManager manager = new BlockManager(40, BLOCK);
    private final int[] tokens = new Random(1).ints(23, 0, 50).toArray();

    /// Sends tokens through the model up to `end`; gives the logits behind the last one.
    private float[] compute(CachedTokens cache, int[] ids, int end) {
        Batch batch = new Batch(100);
        for (int p = cache.computed(); p < end; p++) {
            batch.add(ids[p], p, cache.blocks(), p == end - 1);
        }
        float[] logits = pass.forward(batch);
        cache.advance(end - cache.computed(), ids, manager);
        return Arrays.copyOf(logits, 50);
    }

    private CachedTokens admitted(int[] ids) {
        CachedTokens cache = new CachedTokens();
        cache.admit(ids, ids.length, manager.blocksOf(ids.length), manager);
        return cache;
    }

    @Test
    void aPrefixThatWasComputedIsNotComputedAgain() {
        CachedTokens first = admitted(tokens);
        assertThat(first.computed()).isZero();
        float[] expected = compute(first, tokens, 23);
        first.release(manager);
        assertThat(manager.available()).isEqualTo(40);
        CachedTokens second = admitted(tokens);
        assertThat(second.computed()).isEqualTo(20);
        assertThat(compute(second, tokens, 23)).isEqualTo(expected);
        // the last token of a prompt is computed, even if its block is known
        CachedTokens third = admitted(Arrays.copyOf(tokens, 20));
        assertThat(third.computed()).isEqualTo(16);
        int[] other = tokens.clone();
        other[9]++;
        assertThat(admitted(other).computed()).isEqualTo(8);
    }

    @Test
    void whatAnotherComputesMeanwhileIsTakenOver() {
        CachedTokens first = admitted(tokens);
        CachedTokens second = admitted(tokens);
        compute(first, tokens, 14);
        assertThat(second.catchUp(tokens, 23, manager)).isEqualTo(12);
        assertThat(second.blocks()[2]).isEqualTo(first.blocks()[2]);
        assertThat(compute(second, tokens, 23)).isEqualTo(pass.logits(tokens));
        assertThat(compute(first, tokens, 23)).isEqualTo(pass.logits(tokens));
        first.release(manager);
        second.release(manager);
        assertThat(manager.available()).isEqualTo(40);
    }

    @Test
    void aBranchGoesItsOwnWayFromTheMiddleOfABlock() {
        CachedTokens trunk = admitted(tokens);
        compute(trunk, tokens, 23);
        int[] other = tokens.clone();
        for (int i = 14; i < 23; i++) {
            other[i] = 49 - other[i];
        }
        CachedTokens branch = new CachedTokens();
        branch.branch(trunk, 14, manager.blocksOf(23), manager, pass);
        assertThat(branch.computed()).isEqualTo(14);
        assertThat(branch.blocks()[2]).isEqualTo(trunk.blocks()[2]);
        assertThat(branch.blocks()[3]).isNotEqualTo(trunk.blocks()[3]);
        assertThat(compute(branch, other, 23)).isEqualTo(pass.logits(other));
        // and leaves the trunk's tokens as they are
        int[] more = Arrays.copyOf(tokens, 24);
        assertThat(compute(trunk, more, 24)).isEqualTo(pass.logits(more));
        trunk.release(manager);
        branch.release(manager);
        assertThat(manager.available()).isEqualTo(40);
    }
}
