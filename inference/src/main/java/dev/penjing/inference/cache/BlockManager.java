package dev.penjing.inference.cache;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// Who uses which block of a key-value cache that is paged (PagedAttention, Kwon et al. 2023), and
/// the prefix cache: a full block stays findable by its tokens, and those of all blocks before it,
/// after its last user left, until the memory is needed. Used by one thread.
public final class BlockManager {
    /// A full block: its tokens behind those of a parent (0 for none).
    private record Content(long parent, Tokens tokens) {}

    private record Tokens(int[] ids) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Tokens t && Arrays.equals(ids, t.ids);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(ids);
        }
    }

    /// A findable block. Serials are never used twice, so that a child of a parent that is gone is
    /// never found.
    private record Kept(int block, long serial, Content content) {}

    private final int[] users;
    private final ArrayDeque<Integer> free = new ArrayDeque<>();
    private final Map<Content, Kept> byContent = new HashMap<>();
    private final Map<Integer, Kept> byBlock = new HashMap<>();

    /// Findable blocks without users, the one longest unused first.
    private final LinkedHashMap<Integer, Kept> idle = new LinkedHashMap<>();

    private final int blockTokens;
    private long serials;

    /// @param blocks of the cache
    /// @param blockTokens positions of a block
    public BlockManager(int blocks, int blockTokens) {
        this.blockTokens = blockTokens;
        users = new int[blocks];
        for (int i = 0; i < blocks; i++) {
            free.add(i);
        }
    }

    /// Blocks that can be had.
    public int available() {
        return free.size() + idle.size();
    }

    /// Blocks in all.
    public int total() {
        return users.length;
    }

    /// Positions of a block.
    public int blockTokens() {
        return blockTokens;
    }

    /// The blocks that a number of tokens takes.
    public int blocksOf(int tokens) {
        return Math.ceilDiv(tokens, blockTokens);
    }

    /// A block for one user; its content is not findable.
    public int take() {
        Integer block = free.poll();
        if (block == null) {
            Kept oldest = idle.pollFirstEntry().getValue();
            byContent.remove(oldest.content());
            byBlock.remove(oldest.block());
            block = oldest.block();
        }
        users[block] = 1;
        return block;
    }

    /// Adds a user to a block that has one.
    public void share(int block) {
        users[block]++;
    }

    /// Gives a block back.
    public void release(int block) {
        if (--users[block] > 0) {
            return;
        }
        Kept kept = byBlock.get(block);
        if (kept == null) {
            free.add(block);
        } else {
            idle.put(block, kept);
        }
    }

    /// A full block with these tokens behind `parent`, used by one more, and its serial.
    ///
    /// @return {block, serial}, or nothing ({}) if there is none
    public long[] find(long parent, int[] tokens, int at) {
        Kept kept = byContent.get(content(parent, tokens, at));
        if (kept == null) {
            return new long[0];
        }
        if (users[kept.block()]++ == 0) {
            idle.remove(kept.block());
        }
        return new long[] {kept.block(), kept.serial()};
    }

    /// Makes a full block findable.
    ///
    /// @return its serial, or that of another block of the same content
    public long keep(int block, long parent, int[] tokens, int at) {
        Content content = content(parent, tokens, at);
        Kept known = byContent.get(content);
        if (known != null) {
            return known.serial();
        }
        Kept kept = new Kept(block, ++serials, content);
        byContent.put(content, kept);
        byBlock.put(block, kept);
        return kept.serial();
    }

    private Content content(long parent, int[] tokens, int at) {
        return new Content(parent, new Tokens(Arrays.copyOfRange(tokens, at, at + blockTokens)));
    }
}
