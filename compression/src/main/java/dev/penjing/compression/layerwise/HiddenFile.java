package dev.penjing.compression.layerwise;

import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// The hidden states of many tokens at one place of a model, float32 `[tokens, D]`, in a mapped
/// file: what does not fit in memory lies on the disk.
public final class HiddenFile implements AutoCloseable {
    private final Path file;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment data;
    private final int width;

    /// A new file, or one that is there.
    ///
    /// @param isThere whether it must be there already
    /// @throws PenjingException if the disk refuses, or a file that must be there is not whole
    public HiddenFile(Path file, long tokens, int width, boolean isThere) {
        this.file = file;
        this.width = width;
        long bytes = tokens * width * Float.BYTES;
        try {
            if (isThere && (!Files.exists(file) || Files.size(file) != bytes)) {
                throw new PenjingException(
                        "%s is not what it was: remove the folder to start anew".formatted(file));
            }
            Files.createDirectories(file.toAbsolutePath().getParent());
            try (FileChannel channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE)) {
                data = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
            }
        } catch (IOException e) {
            arena.close();
            throw new PenjingException(
                    "cannot keep %d MB of hidden states in %s: %s"
                            .formatted(bytes >> 20, file, e.getMessage()),
                    e);
        }
    }

    /// Some tokens' states, `[count, D]`: a view, which lives as long as the file is open.
    public Tensor rows(long from, long count) {
        long row = (long) width * Float.BYTES;
        return Tensors.over(data.asSlice(from * row, count * row), ScalarType.Float, count, width);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /// Closes and removes it.
    public void delete() {
        close();
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new PenjingException("cannot remove " + file + ": " + e.getMessage(), e);
        }
    }
}
