package dev.penjing.inference;

import java.util.Arrays;

/// What goes through the model at once: rows of (sequence, position, token), in any mix. Rows of
/// one sequence stand in the order of their positions.
final class Batch {
    final int[] tokens;
    final int[] positions;

    /// The blocks of each row's sequence, as far as its position at least.
    final int[][] blocks;

    /// Whether the logits of a row are wanted.
    final boolean[] wanted;

    private int rows;
    private int wantedRows;
    private boolean alone = true;

    Batch(int capacity) {
        tokens = new int[capacity];
        positions = new int[capacity];
        blocks = new int[capacity][];
        wanted = new boolean[capacity];
    }

    void clear() {
        Arrays.fill(blocks, 0, rows, new int[0]);
        rows = 0;
        wantedRows = 0;
        alone = true;
    }

    void add(int token, int position, int[] sequenceBlocks, boolean logits) {
        // rows of one sequence follow one another
        alone &= rows == 0 || blocks[rows - 1] != sequenceBlocks;
        tokens[rows] = token;
        positions[rows] = position;
        blocks[rows] = sequenceBlocks;
        wanted[rows] = logits;
        wantedRows += logits ? 1 : 0;
        rows++;
    }

    int rows() {
        return rows;
    }

    int wantedRows() {
        return wantedRows;
    }

    int capacity() {
        return tokens.length;
    }

    int room() {
        return tokens.length - rows;
    }

    /// Whether no two rows are of one sequence, so that none needs what another writes.
    boolean alone() {
        return alone;
    }
}
