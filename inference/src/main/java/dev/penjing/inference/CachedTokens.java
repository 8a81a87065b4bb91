package dev.penjing.inference;

/// A sequence's keys and values in one model: its blocks, and how far they are filled. Used by one
/// thread.
final class CachedTokens {
    private int[] blocks = new int[0];
    private int computed;
    private long lastSerial;
    private int keptBlocks;

    /// Takes all the blocks that the sequence may need, those of a known beginning of the prompt
    /// with what they hold.
    void admit(int[] tokens, int promptLength, int count, BlockManager manager) {
        blocks = new int[count];
        int b = 0;
        // the last token of the prompt is computed anyway, for what comes after it
        for (; b < count && (b + 1) * KeyValuePool.BLOCK < promptLength; b++) {
            long[] found = manager.find(lastSerial, tokens, b * KeyValuePool.BLOCK);
            if (found.length == 0) {
                break;
            }
            blocks[b] = (int) found[0];
            lastSerial = found[1];
        }
        keptBlocks = b;
        computed = b * KeyValuePool.BLOCK;
        for (; b < count; b++) {
            blocks[b] = manager.take();
        }
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
            lastSerial =
                    manager.keep(
                            blocks[keptBlocks],
                            lastSerial,
                            tokens,
                            keptBlocks * KeyValuePool.BLOCK);
            keptBlocks++;
        }
    }
}
