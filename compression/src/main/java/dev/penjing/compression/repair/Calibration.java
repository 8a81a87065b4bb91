package dev.penjing.compression.repair;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// The text that a repair goes by: the first samples of `data`, of which the last are held out to
/// judge by.
///
/// @param samples in all
/// @param heldOut of these, at the end
record Calibration(Sequences data, int samples, int heldOut) {
    /// Tokens that go through a layer at once.
    private static final int BATCH_TOKENS = 4096;

    static Calibration of(Sequences data, int samples, int oneIn) {
        int used = Math.min(samples, data.count());
        return new Calibration(data, used, Math.max(1, used / oneIn));
    }

    /// Samples that go through a layer together.
    ///
    /// @param heldOut whether they are among those to judge by
    record Batch(int firstSample, int samples, int length, boolean heldOut) {
        long from() {
            return (long) firstSample * length;
        }

        long tokens() {
            return (long) samples * length;
        }
    }

    int length() {
        return data.length();
    }

    long tokens() {
        return (long) samples * length();
    }

    /// All samples, in order; no batch holds both kinds.
    List<Batch> batches() {
        int most = Math.max(1, BATCH_TOKENS / length());
        int fitted = samples - heldOut;
        List<Batch> batches = new ArrayList<>();
        for (int at = 0; at < samples; ) {
            int end = at < fitted ? fitted : samples;
            int count = Math.min(most, end - at);
            batches.add(new Batch(at, count, length(), at >= fitted));
            at += count;
        }
        return batches;
    }

    /// The ids of a batch, int64 `[samples, L]`.
    Tensor ids(Batch batch, Compute compute) {
        int[] ids = new int[batch.samples() * length()];
        for (int i = 0; i < batch.samples(); i++) {
            int[] sample = data.sample(batch.firstSample() + i);
            System.arraycopy(sample, 0, ids, i * length(), length());
        }
        return compute.place(Tensors.ids(ids, batch.samples(), length()));
    }
}
