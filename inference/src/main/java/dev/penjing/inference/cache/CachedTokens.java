package dev.penjing.inference.cache;

import dev.penjing.inference.forward.ForwardPass;
import java.util.Arrays;

/// A sequence's part of the key-value cache of one model: its blocks, and how far they are filled.
/// Used by one thread.
public final class CachedTokens {
    private int[] blocks = new int[0];
    private int computed;
    private long[] serials = new long[0];
    private int keptBlocks;

    /// Takes all the blocks that the sequence may need, those that the prefix cache has for the
    /// prompt with what they hold.
    public void admit(int[] tokens, int promptLength, int count, BlockManager manager) {
        blocks = new int[count];
        serials = new long[count];
        int block = manager.blockTokens();
        // the last token of the prompt is computed anyway, for what comes after it
        while (keptBlocks < count && (keptBlocks + 1) * block < promptLength) {
            long[] found = manager.find(lastSerial(), tokens, keptBlocks * block);
            if (found.length == 0) {
                break;
            }
            know(found);
        }
        computed = keptBlocks * block;
        take(keptBlocks, manager);
    }

    /// Takes all the blocks that the sequence may need, its first `shared` tokens being those of
    /// another, which has computed them: full blocks are used by both, and of one that is filled in
    /// part it gets a copy.
    public void branch(
            CachedTokens from, int shared, int count, BlockManager manager, ForwardPass pass) {
        blocks = Arrays.copyOf(from.blocks, count);
        serials = Arrays.copyOf(from.serials, count);
        computed = shared;
        keptBlocks = shared / manager.blockTokens();
        for (int b = 0; b < keptBlocks; b++) {
            manager.share(blocks[b]);
        }
        take(keptBlocks, manager);
        if (shared % manager.blockTokens() > 0) {
            pass.copyBlock(from.blocks[keptBlocks], blocks[keptBlocks]);
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
    public int catchUp(int[] tokens, int promptLength, BlockManager manager) {
        int before = computed;
        int block = manager.blockTokens();
        while (computed == keptBlocks * block && computed + block < promptLength) {
            long[] found = manager.find(lastSerial(), tokens, computed);
            if (found.length == 0) {
                break;
            }
            manager.release(blocks[keptBlocks]);
            know(found);
            computed += block;
        }
        return computed - before;
    }

    /// Gives all blocks back.
    public void release(BlockManager manager) {
        for (int block : blocks) {
            manager.release(block);
        }
        blocks = new int[0];
    }

    /// Its blocks, in the order of their positions. Not to be changed.
    public int[] blocks() {
        return blocks;
    }

    /// Tokens that have gone through the model, and belong to the sequence for good.
    public int computed() {
        return computed;
    }

    /// After `count` more went through the model. Blocks that are full with them become findable.
    public void advance(int count, int[] tokens, BlockManager manager) {
        computed += count;
        int block = manager.blockTokens();
        while ((keptBlocks + 1) * block <= computed) {
            serials[keptBlocks] =
                    manager.keep(blocks[keptBlocks], lastSerial(), tokens, keptBlocks * block);
            keptBlocks++;
        }
    }
}
