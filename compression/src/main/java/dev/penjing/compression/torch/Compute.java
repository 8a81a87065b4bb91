package dev.penjing.compression.torch;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.model.identity.Arithmetic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Where and in which type the arithmetic is done.
///
/// @param device `cpu` or `cuda`
/// @param type of weights and activations while computing; sums, losses and the optimizer are
///   float32 whatever this is
/// @param threads of the CPU
public record Compute(String device, ScalarType type, int threads) {
    private static boolean started;

    /// Starts libtorch (once a process) and settles on a device and a type.
    ///
    /// @param device `auto`, `cpu` or `cuda`
    /// @param type `auto` (bfloat16 where the hardware multiplies it, else float32), `float32` or
    ///   `bfloat16`
    /// @param threads 0 for all processors
    public static synchronized Compute start(String device, String type, int threads) {
        if (!started) {
            NativeMemory.keepFreed();
            started = true;
        }
        int count = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
        torch.set_num_threads(count);
        String chosenDevice =
                switch (device) {
                    case "auto" -> torch.cuda_is_available() ? "cuda" : "cpu";
                    case "cpu" -> "cpu";
                    case "cuda" -> {
                        if (!torch.cuda_is_available()) {
                            throw new PenjingException(
                                    "no CUDA device can be used: compute on the CPU, or build with"
                                            + " libtorch for CUDA as docs/how-to/gpu.md says");
                        }
                        yield "cuda";
                    }
                    default ->
                            throw new UsageException(
                                    "`device` is auto, cpu or cuda, not " + device);
                };
        ScalarType chosenType =
                switch (type) {
                    case "auto" ->
                            chosenDevice.equals("cuda") || processorHasBfloat16()
                                    ? ScalarType.BFloat16
                                    : ScalarType.Float;
                    case "float32" -> ScalarType.Float;
                    case "bfloat16" -> ScalarType.BFloat16;
                    default ->
                            throw new UsageException(
                                    "`dtype` is auto, float32 or bfloat16, not " + type);
                };
        return new Compute(chosenDevice, chosenType, count);
    }

    /// float32 on the CPU: for tests and for measuring.
    public static Compute float32() {
        return start("cpu", "float32", 0);
    }

    public boolean reduced() {
        return type == ScalarType.BFloat16;
    }

    public boolean onCpu() {
        return device.equals("cpu");
    }

    /// Options for a new tensor of `of` on this device.
    public TensorOptions options(ScalarType of) {
        return new TensorOptions(of).device(onCpu() ? CPU : cuda());
    }

    /// The tensor on this device.
    public Tensor place(Tensor tensor) {
        return onCpu() ? tensor : tensor.cuda();
    }

    /// Java's floats in the computing type, on this device.
    public Tensor tensor(float[] values, long... shape) {
        Tensor cpu = Tensors.empty(new TensorOptions(ScalarType.Float), shape);
        try (FloatPointer data = cpu.data_ptr_float()) {
            data.put(values, 0, values.length);
        }
        return cpu.to(options(type), false, false, new MemoryFormatOptional());
    }

    /// What is said at the start of every run.
    public String describe() {
        String typeName = reduced() ? "bfloat16" : "float32";
        return onCpu()
                ? "libtorch on %d CPU threads, %s".formatted(threads, typeName)
                : "libtorch on CUDA, " + typeName;
    }

    /// What makes its numbers what they are; how many threads sum is not among it.
    public Arithmetic arithmetic() {
        String kernels = String.valueOf(torch.class.getPackage().getImplementationVersion());
        if (onCpu()) {
            kernels += " " + torch.get_cpu_capability().getString();
        }
        return Arithmetic.here("libtorch", kernels, reduced() ? "bfloat16" : "float32", device);
    }

    private static final org.bytedeco.pytorch.DeviceOptional CPU =
            new org.bytedeco.pytorch.DeviceOptional(new Device("cpu"));

    private static org.bytedeco.pytorch.DeviceOptional cuda() {
        return new org.bytedeco.pytorch.DeviceOptional(new Device("cuda"));
    }

    private static boolean processorHasBfloat16() {
        Path cpuinfo = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(cpuinfo)) {
            return false;
        }
        try {
            String text = Files.readString(cpuinfo).toLowerCase(Locale.ROOT);
            return text.contains("avx512_bf16") || text.contains("amx_bf16");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
