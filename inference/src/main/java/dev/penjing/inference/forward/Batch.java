package dev.penjing.inference.forward;

import java.util.Arrays;

/// What goes through the model at once: rows of (sequence, position, token), in any mix. Rows of
/// one sequence stand in the order of their positions.
public final class Batch {
    private final int[] tokens;
    private final int[] positions;

    private final int[][] blocks;
    private final boolean[] wanted;

    private int rows;
    private int wantedRows;
    private boolean alone = true;

    /// @param capacity rows at most
    public Batch(int capacity) {
        tokens = new int[capacity];
        positions = new int[capacity];
        blocks = new int[capacity][];
        wanted = new boolean[capacity];
    }

    /// Takes all rows out.
    public void clear() {
        Arrays.fill(blocks, 0, rows, new int[0]);
        rows = 0;
        wantedRows = 0;
        alone = true;
    }

    /// Adds a row.
    ///
    /// @param sequenceBlocks of its sequence in the key-value cache, as far as the position at
    ///   least
    /// @param logits whether they are wanted
    public void add(int token, int position, int[] sequenceBlocks, boolean logits) {
        // rows of one sequence follow one another
        alone &= rows == 0 || blocks[rows - 1] != sequenceBlocks;
        tokens[rows] = token;
        positions[rows] = position;
        blocks[rows] = sequenceBlocks;
        wanted[rows] = logits;
        wantedRows += logits ? 1 : 0;
        rows++;
    }

    public int token(int row) {
        return tokens[row];
    }

    public int position(int row) {
        return positions[row];
    }

    /// The blocks of a row's sequence in the key-value cache. Rows of one sequence that follow one
    /// another have the same object.
    public int[] blocks(int row) {
        return blocks[row];
    }

    /// Whether the logits of a row are wanted.
    public boolean wanted(int row) {
        return wanted[row];
    }

    public int rows() {
        return rows;
    }

    /// Rows whose logits are wanted.
    public int wantedRows() {
        return wantedRows;
    }

    public int capacity() {
        return tokens.length;
    }

    /// Rows that can be added.
    public int room() {
        return tokens.length - rows;
    }

    /// Whether no two rows are of one sequence, so that none needs what another writes.
    public boolean alone() {
        return alone;
    }
}
