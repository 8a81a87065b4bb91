package dev.penjing.compression.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// What JavaCPP's tensors lack: ownership across scopes, and ways in and out of Java memory.
public final class Tensors {
    private Tensors() {}

    /// Runs `body` in a scope of its own, which frees all that it made but the tensor it returns;
    /// that one belongs to the caller's scope.
    public static Tensor scoped(Supplier<Tensor> body) {
        PointerScope outer = PointerScope.getInnerScope();
        try (PointerScope inner = new PointerScope()) {
            Tensor result = body.get();
            if (outer != null) {
                outer.attach(result);
            } else {
                result.retainReference();
            }
            inner.detach(result);
            return result;
        }
    }

    /// Takes a tensor out of the scopes: it lives until [#release].
    public static Tensor keep(Tensor tensor) {
        return tensor.retainReference();
    }

    public static void release(Tensor tensor) {
        tensor.releaseReference();
    }

    /// A new tensor, its content not set.
    public static Tensor empty(TensorOptions options, long... shape) {
        return torch.empty(shape, options, new org.bytedeco.pytorch.MemoryFormatOptional());
    }

    public static Tensor zeros(TensorOptions options, long... shape) {
        return torch.zeros(shape, options);
    }

    /// Token ids as an int64 tensor `[rows, columns]` in CPU memory.
    public static Tensor ids(int[] ids, int rows, int columns) {
        Tensor tensor = empty(new TensorOptions(ScalarType.Long), rows, columns);
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            wide[i] = ids[i];
        }
        try (LongPointer data = tensor.data_ptr_long()) {
            data.put(wide, 0, wide.length);
        }
        return tensor;
    }

    /// The bytes of a contiguous CPU tensor, without a copy, as long as `arena` is open: an access
    /// after that is an exception. The tensor must live as long.
    public static MemorySegment memory(Tensor tensor, Arena arena) {
        if (!tensor.is_contiguous() || !tensor.is_cpu()) {
            throw new IllegalArgumentException("needs a contiguous tensor in CPU memory");
        }
        try (Pointer data = tensor.data_ptr()) {
            return MemorySegment.ofAddress(data.address())
                    .reinterpret(tensor.numel() * tensor.element_size(), arena, null);
        }
    }

    /// Native memory as a tensor, without a copy: whoever owns the memory must outlive it.
    public static Tensor over(MemorySegment memory, ScalarType type, long... shape) {
        return torch.from_blob(new Address(memory.address()), shape, new TensorOptions(type));
    }

    /// A native address that somebody else owns.
    private static final class Address extends Pointer {
        Address(long address) {
            this.address = address;
        }
    }

    /// All elements of an int64 tensor, in row-major order.
    public static long[] longs(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            Tensor plain = tensor.cpu().contiguous();
            long[] result = new long[Math.toIntExact(plain.numel())];
            try (LongPointer data = plain.data_ptr_long()) {
                data.get(result, 0, result.length);
            }
            return result;
        }
    }

    /// All elements as float32, in row-major order.
    public static float[] floats(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            Tensor plain = tensor.detach().cpu().to(ScalarType.Float).contiguous();
            float[] result = new float[Math.toIntExact(plain.numel())];
            try (FloatPointer data = plain.data_ptr_float()) {
                data.get(result, 0, result.length);
            }
            return result;
        }
    }
}
