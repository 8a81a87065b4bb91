package dev.penjing.compression.run;

import dev.penjing.compression.torch.Compute;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How much memory a model's weights may take: a larger model goes through in layers.
///
/// @param bytes for everything
public record Memory(long bytes) {
    private static final Pattern SIZE = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)\\s*([kmgt]?)i?b?");

    /// What this machine has.
    public static Memory ofMachine() {
        return ManagementFactory.getOperatingSystemMXBean()
                        instanceof com.sun.management.OperatingSystemMXBean system
                ? new Memory(system.getTotalMemorySize())
                : new Memory(Runtime.getRuntime().maxMemory());
    }

    /// `8GB`, `512 MiB`: powers of 1,024 both.
    ///
    /// @throws UsageException if it is no size
    public static Memory parse(String size) {
        Matcher matcher = SIZE.matcher(size.strip().toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new UsageException("`memory` is a size such as 8GB, not " + size);
        }
        int power = " kmgt".indexOf(matcher.group(2).isEmpty() ? " " : matcher.group(2));
        double bytes = Double.parseDouble(matcher.group(1)) * Math.pow(1024, power);
        if (bytes < 1 << 20 || bytes > 1L << 60) {
            throw new UsageException("`memory` must be a megabyte at least, not " + size);
        }
        return new Memory((long) bytes);
    }

    /// Whether a model is too large for it: its weights and as much again for what is computed.
    boolean inLayers(ModelConfig config, Compute compute) {
        long element = compute.reduced() ? 2 : 4;
        return config.parameters() * element * 2 > bytes;
    }
}
