package dev.penjing.inference;

import java.util.Arrays;

/// A sequence's keys and values in one model: its blocks, and how far they are filled. Used by one
/// thread.
final class CachedTokens {
    private int[] blocks = new int[0];
    private int computed;
    private long[] serials = new long[0];
    private int keptBlocks;

    /// Takes all the blocks that the sequence may need, those of a known beginning of the prompt
    /// with what they hold.
    void admit(int[] tokens, int promptLength, int count, BlockManager manager) {
        blocks = new int[count];
        serials = new long[count];
        // the last token of the prompt is computed anyway, for what comes after it
        while (keptBlocks < count && (keptBlocks + 1) * KeyValuePool.BLOCK < promptLength) {
            long[] found = manager.find(lastSerial(), tokens, keptBlocks * KeyValuePool.BLOCK);
            if (found.length == 0) {
                break;
            }
            know(found);
        }
        computed = keptBlocks * KeyValuePool.BLOCK;
        take(keptBlocks, manager);
    }

    /// Takes all the blocks that the sequence may need, its first `shared` tokens being those of
    /// another, which has computed them: full blocks are used by both, and of one that is filled in
    /// part it gets a copy.
    void branch(CachedTokens from, int shared, int count, BlockManager manager, KeyValuePool pool) {
        blocks = Arrays.copyOf(from.blocks, count);
        serials = Arrays.copyOf(from.serials, count);
        computed = shared;
        keptBlocks = shared / KeyValuePool.BLOCK;
        for (int b = 0; b < keptBlocks; b++) {
            manager.share(blocks[b]);
        }
        take(keptBlocks, manager);
        if (shared % KeyValuePool.BLOCK > 0) {
            pool.copy(from.blocks[keptBlocks], blocks[keptBlocks]);
        }
    }

    private void take(int from, BlockManager manager) {
        for (int b = from; b < blocks.length; b++) {
            blocks[b] = manager.take();
        }
    }

    private long lastSerial() {
        return keptBlocks == 0 ? 0 : serials[keptBlocks - 1];
    }

    private void know(long[] found) {
        blocks[keptBlocks] = (int) found[0];
        serials[keptBlocks] = found[1];
        keptBlocks++;
    }

    /// Looks whether another sequence has computed the next blocks of the prompt in the meantime,
    /// and uses them instead of its own.
    ///
    /// @return tokens that need not be computed any more
    int catchUp(int[] tokens, int promptLength, BlockManager manager) {
        int before = computed;
        while (computed == keptBlocks * KeyValuePool.BLOCK
                && computed + KeyValuePool.BLOCK < promptLength) {
            long[] found = manager.find(lastSerial(), tokens, computed);
            if (found.length == 0) {
                break;
            }
            manager.release(blocks[keptBlocks]);
            know(found);
            computed += KeyValuePool.BLOCK;
        }
        return computed - before;
    }

    void release(BlockManager manager) {
        for (int block : blocks) {
            manager.release(block);
        }
        blocks = new int[0];
    }

    int[] blocks() {
        return blocks;
    }

    /// Tokens that have gone through the model, and belong to the sequence for good.
    int computed() {
        return computed;
    }

    /// After `count` more went through the model. Blocks that are full with them become findable.
    void advance(int count, int[] tokens, BlockManager manager) {
        computed += count;
        while ((keptBlocks + 1) * KeyValuePool.BLOCK <= computed) {
            serials[keptBlocks] =
                    manager.keep(
                            blocks[keptBlocks],
                            lastSerial(),
                            tokens,
                            keptBlocks * KeyValuePool.BLOCK);
            keptBlocks++;
        }
    }
}
