package dev.penjing.model.files;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The memory of this process as the system counts it, native memory included.
public final class ProcessMemory {
    private ProcessMemory() {}

    /// The largest resident set size (RSS) so far, in bytes; 0 where the system does not say.
    public static long peakResidentBytes() {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            throw new PenjingException("cannot read " + status + ": " + e.getMessage(), e);
        }
    }
}
