package dev.penjing.inference.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BlockManagerTest {
    private static final int[] TOKENS = {1, 2, 3, 4, 5, 6};

    @Test
    void aBlockHasOneUserUntilItIsGivenBack() {
        BlockManager manager = new BlockManager(3, 2);
        Set<Integer> taken = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            taken.add(manager.take());
        }
        assertThat(taken).containsExactlyInAnyOrder(0, 1, 2);
        assertThat(manager.available()).isZero();
        manager.release(1);
        assertThat(manager.available()).isEqualTo(1);
        assertThat(manager.take()).isEqualTo(1);
        assertThat(manager.total()).isEqualTo(3);
        assertThat(manager.blocksOf(5)).isEqualTo(3);
    }

    @Test
    void aFullBlockIsFoundByItsTokensAndAllBeforeThem() {
        BlockManager manager = new BlockManager(4, 2);
        int first = manager.take();
        int second = manager.take();
        long parent = manager.keep(first, 0, TOKENS, 0);
        manager.keep(second, parent, TOKENS, 2);
        manager.release(first);
        manager.release(second);
        assertThat(manager.available()).isEqualTo(4);
        assertThat(manager.find(0, TOKENS, 0)).containsExactly(first, parent);
        assertThat(manager.find(parent, TOKENS, 2)[0]).isEqualTo(second);
        // the same tokens behind others
        assertThat(manager.find(0, TOKENS, 2)).isEmpty();
        assertThat(manager.find(parent, TOKENS, 4)).isEmpty();
        assertThat(manager.available()).isEqualTo(2);
    }

    @Test
    void whatWasNotUsedTheLongestIsForgottenFirst() {
        BlockManager manager = new BlockManager(2, 2);
        int[] blocks = {manager.take(), manager.take()};
        manager.keep(blocks[0], 0, TOKENS, 0);
        manager.keep(blocks[1], 0, TOKENS, 2);
        manager.release(blocks[0]);
        manager.release(blocks[1]);
        // a look at the older one makes it the younger
        assertThat(manager.find(0, TOKENS, 0)).isNotEmpty();
        manager.release(blocks[0]);
        assertThat(manager.take()).isEqualTo(blocks[1]);
        assertThat(manager.find(0, TOKENS, 2)).isEmpty();
        assertThat(manager.find(0, TOKENS, 0)[0]).isEqualTo(blocks[0]);
    }

    @Test
    void equalBlocksAreKeptOnce() {
        BlockManager manager = new BlockManager(3, 2);
        int first = manager.take();
        int second = manager.take();
        long serial = manager.keep(first, 0, TOKENS, 0);
        assertThat(manager.keep(second, 0, TOKENS, 0)).isEqualTo(serial);
        manager.release(second);
        // nobody finds it: it is free
        assertThat(manager.find(0, TOKENS, 0)[0]).isEqualTo(first);
    }

    /// A child of a parent that is gone is never found, even if the parent's block has the same
    /// tokens again.
    @Test
    void serialsAreNotUsedAgain() {
        BlockManager manager = new BlockManager(2, 2);
        int parent = manager.take();
        int child = manager.take();
        long old = manager.keep(parent, 0, TOKENS, 0);
        manager.keep(child, old, TOKENS, 2);
        manager.release(parent);
        assertThat(manager.take()).isEqualTo(parent);
        long serial = manager.keep(parent, 0, TOKENS, 0);
        assertThat(serial).isNotEqualTo(old);
        assertThat(manager.find(serial, TOKENS, 2)).isEmpty();
    }

    @Test
    void nothingIsLostWhateverHappens() {
        Random random = new Random(1);
        BlockManager manager = new BlockManager(20, 2);
        List<Integer> held = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            int[] tokens = {random.nextInt(4), random.nextInt(4)};
            switch (random.nextInt(3)) {
                case 0 -> {
                    if (manager.available() > 0) {
                        int block = manager.take();
                        assertThat(held).doesNotContain(block);
                        held.add(block);
                        if (random.nextBoolean()) {
                            manager.keep(block, 0, tokens, 0);
                        }
                    }
                }
                case 1 -> {
                    long[] found = manager.find(0, tokens, 0);
                    if (found.length > 0) {
                        held.add((int) found[0]);
                    }
                }
                default -> {
                    if (!held.isEmpty()) {
                        manager.release(held.remove(random.nextInt(held.size())));
                    }
                }
            }
            assertThat(manager.available()).isEqualTo(20 - new HashSet<>(held).size());
        }
    }
}
