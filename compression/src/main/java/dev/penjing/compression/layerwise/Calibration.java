package dev.penjing.compression.layerwise;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// Sequences that go through a model one layer at a time: the first samples of `data`.
///
/// @param samples in all
/// @param heldOut of these, at the end: to judge by, not to go by
public record Calibration(Sequences data, int samples, int heldOut) {
    /// Tokens that go through a layer at once.
    public static final int BATCH_TOKENS = 4096;

    /// @param oneIn one sample in so many is held out
    public static Calibration of(Sequences data, int samples, int oneIn) {
        int used = Math.min(samples, data.count());
        return new Calibration(data, used, Math.max(1, used / oneIn));
    }

    /// All samples alike.
    public static Calibration whole(Sequences data, int samples) {
        return new Calibration(data, samples, 0);
    }

    /// Samples that go through a layer together.
    ///
    /// @param heldOut whether they are among those to judge by
    public record Batch(int firstSample, int samples, int length, boolean heldOut) {
        /// Its first token among all.
        public long from() {
            return (long) firstSample * length;
        }

        public long tokens() {
            return (long) samples * length;
        }
    }

    /// Tokens of a sample.
    public int length() {
        return data.length();
    }

    public long tokens() {
        return (long) samples * length();
    }

    /// All samples, in order; no batch holds both kinds.
    public List<Batch> batches() {
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
    public Tensor ids(Batch batch, Compute compute) {
        int[] ids = new int[batch.samples() * length()];
        for (int i = 0; i < batch.samples(); i++) {
            int[] sample = data.sample(batch.firstSample() + i);
            System.arraycopy(sample, 0, ids, i * length(), length());
        }
        return compute.place(Tensors.ids(ids, batch.samples(), length()));
    }
}
