package dev.penjing.compression.repair;

import dev.penjing.compression.layerwise.Calibration;
import dev.penjing.compression.layerwise.HiddenFile;
import dev.penjing.compression.layerwise.LayerWalk;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.Checkpoint;
import org.bytedeco.pytorch.Tensor;

/// What the repairs of all layers share.
record RepairContext(
        Checkpoint checkpoint,
        ModelConfig teacher,
        RepairSettings settings,
        Calibration calibration,
        Compute compute,
        RepairWork work) {
    /// The states of a batch, where they are computed with.
    Tensor rows(HiddenFile file, Calibration.Batch batch) {
        return LayerWalk.rows(file, batch, compute);
    }
}
