package dev.penjing.inference;

import dev.penjing.inference.forward.Batch;
import dev.penjing.inference.forward.ForwardPass;
import dev.penjing.model.identity.Arithmetic;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// A model without weights, whose next token depends on all tokens before it. It keeps them in
/// blocks as a real one keeps keys and values, and notices when a position is read that was never
/// written, or holds another sequence's token.
public class FakePass implements ForwardPass {
    private static final int EMPTY = -1;

    private final int[][] blocks;
    private final int blockTokens;
    private final int vocabulary;
    private final int maxRows;

    /// What [#logits] gave, by the tokens.
    private final Map<List<Integer>, float[]> known = new HashMap<>();

    private long rows;

    public FakePass(int blocks, int blockTokens, int vocabulary, int maxRows) {
        this.blocks = new int[blocks][blockTokens];
        this.blockTokens = blockTokens;
        this.vocabulary = vocabulary;
        this.maxRows = maxRows;
        for (int[] block : this.blocks) {
            Arrays.fill(block, EMPTY);
        }
    }

    /// The logits behind some tokens.
    public float[] logits(int[] tokens) {
        List<Integer> key = Arrays.stream(tokens).boxed().toList();
        return known.computeIfAbsent(
                key,
                all -> {
                    Random random = new Random(all.hashCode());
                    float[] row = new float[vocabulary];
                    for (int i = 0; i < vocabulary; i++) {
                        row[i] = (float) (3 * random.nextGaussian());
                    }
                    return row;
                });
    }

    /// Rows that went through it.
    public long rows() {
        return rows;
    }

    @Override
    public float[] forward(Batch batch) {
        rows += batch.rows();
        for (int row = 0; row < batch.rows(); row++) {
            int position = batch.position(row);
            blocks[batch.blocks(row)[position / blockTokens]][position % blockTokens] =
                    batch.token(row);
        }
        float[] result = new float[batch.wantedRows() * logitsStride()];
        int to = 0;
        for (int row = 0; row < batch.rows(); row++) {
            int[] tokens = tokens(batch.blocks(row), batch.position(row) + 1);
            if (batch.wanted(row)) {
                float[] logits = logits(tokens);
                System.arraycopy(logits, 0, result, to, vocabulary);
                to += logitsStride();
            }
        }
        return result;
    }

    private int[] tokens(int[] own, int count) {
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = blocks[own[i / blockTokens]][i % blockTokens];
            if (tokens[i] == EMPTY) {
                throw new AssertionError("position %d is read and was never written".formatted(i));
            }
        }
        return tokens;
    }

    @Override
    public double logSumExp(float[] logits, int at) {
        double sum = 0;
        for (int i = 0; i < vocabulary; i++) {
            sum += Math.exp(logits[at + i]);
        }
        return Math.log(sum);
    }

    @Override
    public void logSumExps(float[] logits, int count, double[] to) {
        for (int row = 0; row < count; row++) {
            to[row] = logSumExp(logits, row * logitsStride());
        }
    }

    @Override
    public int vocabularySize() {
        return vocabulary;
    }

    @Override
    public int logitsStride() {
        return vocabulary + 3;
    }

    @Override
    public int maxRows() {
        return maxRows;
    }

    @Override
    public int contextLength() {
        return 1000;
    }

    @Override
    public int blocks() {
        return blocks.length;
    }

    @Override
    public int blockTokens() {
        return blockTokens;
    }

    @Override
    public long blockBytes() {
        return 4L * blockTokens;
    }

    @Override
    public void copyBlock(int from, int to) {
        System.arraycopy(blocks[from], 0, blocks[to], 0, blockTokens);
    }

    @Override
    public long weightBytes() {
        return 0;
    }

    @Override
    public long weightBytesPerToken() {
        return 0;
    }

    @Override
    public Arithmetic arithmetic() {
        return Arithmetic.here("fake", "none", "float32", "cpu");
    }

    @Override
    public void close() {}
}
