package dev.penjing.inference.forward;

import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.gguf.GgufFile;
import dev.penjing.model.gguf.GgufImport;
import dev.penjing.model.gguf.HeadRows;
import dev.penjing.model.quantization.BlockType;
import dev.penjing.model.quantization.Quantizer;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.TensorView;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BooleanSupplier;

/// A model file or folder, row by row. Rows are in the order of Hugging Face's form. Reading is
/// thread-safe.
public abstract sealed class WeightSource implements AutoCloseable {
    /// @param cancelled is asked again and again; once it is true, opening ends
    /// @throws PenjingException if there is no model, or a damaged or unknown one, or it was
    ///   cancelled
    public static WeightSource open(Path path, BooleanSupplier cancelled) {
        if (Files.isDirectory(path)) {
            return new Folder(path, cancelled);
        }
        if (Files.isRegularFile(path)) {
            return new Gguf(path);
        }
        throw new PenjingException(
                "there is no model at "
                        + path
                        + ": give a .gguf file, or a folder with config.json and *.safetensors");
    }

    public abstract ModelConfig config();

    public abstract Tokenizer tokenizer();

    /// What a tensor can be computed in with the least loss.
    abstract WeightFormat natural(TensorSpec spec);

    public abstract String describe();

    /// What begins and ends its texts.
    ///
    /// @param tokenizer its own
    public abstract TextConventions conventions(Tokenizer tokenizer);

    /// A vector as float32; of a norm its whole weights, also where a checkpoint stores them less
    /// one.
    abstract float[] vector(TensorSpec spec);

    /// A matrix of the source.
    interface Rows {
        /// Copies a row, quantised where it is not already.
        void copy(int row, PackedMatrix to, int toRow);
    }

    abstract Rows rows(TensorSpec spec);

    @Override
    public abstract void close();

    static void quantize(float[] row, PackedMatrix to, int toRow) {
        byte[] quants = new byte[Quantizer.BLOCK];
        for (int at = 0; at < row.length; at += Quantizer.BLOCK) {
            short scale = to.format().quantize(row, at, quants);
            to.set(toRow, at / Quantizer.BLOCK, quants, 0, scale);
        }
    }

    private static float[] paddedRow(float[] values) {
        return Arrays.copyOf(values, PackedMatrix.padded(values.length));
    }

    /// A folder in Hugging Face form.
    private static final class Folder extends WeightSource {
        private final Path directory;
        private final ModelConfig config;
        private final Checkpoint checkpoint;

        Folder(Path directory, BooleanSupplier cancelled) {
            this.directory = directory;
            this.config = ModelConfig.read(directory.resolve("config.json"));
            try (Closer closer = new Closer()) {
                this.checkpoint = Checkpoint.open(directory);
                closer.own(checkpoint, Checkpoint::close);
                checkpoint.check(config);
                for (TensorSpec spec : config.tensors()) {
                    Loading.check(cancelled);
                    checkpoint.usable(spec);
                }
                closer.keep();
            }
        }

        @Override
        public ModelConfig config() {
            return config;
        }

        @Override
        public Tokenizer tokenizer() {
            return Tokenizers.load(directory);
        }

        @Override
        WeightFormat natural(TensorSpec spec) {
            return WeightFormat.finest();
        }

        @Override
        public String describe() {
            TensorSpec embedding = config.tensors().of(Role.EMBEDDING);
            return checkpoint.tensor(embedding).dtype().name();
        }

        @Override
        public TextConventions conventions(Tokenizer tokenizer) {
            return TextConventions.ofFolder(directory, tokenizer);
        }

        @Override
        float[] vector(TensorSpec spec) {
            float[] values = checkpoint.tensor(spec).toFloats();
            for (int i = 0; i < values.length && spec.role().gain(); i++) {
                values[i] += config.norm().plus();
            }
            return values;
        }

        @Override
        Rows rows(TensorSpec spec) {
            TensorView view = checkpoint.tensor(spec);
            long[] shape = {view.shape()[1]};
            long bytes = shape[0] * view.dtype().bytes();
            return (row, to, toRow) -> {
                MemorySegment data = view.data().asSlice(row * bytes, bytes);
                float[] values = new TensorView(spec.name(), view.dtype(), shape, data).toFloats();
                quantize(paddedRow(values), to, toRow);
            };
        }

        @Override
        public void close() {
            checkpoint.close();
        }
    }

    /// A GGUF file.
    private static final class Gguf extends WeightSource {
        private final GgufFile file;
        private final ModelConfig config;

        Gguf(Path path) {
            try (Closer closer = new Closer()) {
                file = GgufFile.open(path);
                closer.own(file, GgufFile::close);
                config = GgufImport.config(file, DType.F32);
                config.tensors().forEach(this::tensor); // or it fails
                closer.keep();
            }
        }

        private GgufFile.Tensor tensor(TensorSpec spec) {
            return file.tensor(spec);
        }

        @Override
        public ModelConfig config() {
            return config;
        }

        @Override
        public Tokenizer tokenizer() {
            return Tokenizers.fromGguf(file.metadata());
        }

        @Override
        WeightFormat natural(TensorSpec spec) {
            return WeightFormat.nearest(tensor(spec).type());
        }

        private BlockType type() {
            return tensor(config.tensors().in(0, Role.UP)).type();
        }

        @Override
        public String describe() {
            return type().name();
        }

        @Override
        public TextConventions conventions(Tokenizer tokenizer) {
            return TextConventions.ofGguf(file.metadata(), tokenizer);
        }

        @Override
        float[] vector(TensorSpec spec) {
            float[] values = tensor(spec).toFloats();
            requireFinite(spec.name(), values);
            if (!interleaved(spec)) {
                return values;
            }
            float[] result = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                result[i] = values[HeadRows.inGguf(i, config.headDim())];
            }
            return result;
        }

        private boolean interleaved(TensorSpec spec) {
            return spec.rotated() && config.family().gguf().interleaved();
        }

        private static void requireFinite(String name, float[] values) {
            for (float value : values) {
                if (!Float.isFinite(value)) {
                    throw notFinite(name);
                }
            }
        }

        private static PenjingException notFinite(String name) {
            return new PenjingException(
                    name
                            + " holds a value that is not finite: the file is damaged, fetch it again");
        }

        @Override
        Rows rows(TensorSpec spec) {
            boolean interleaved = interleaved(spec);
            GgufFile.Tensor tensor = tensor(spec);
            MemorySegment data = tensor.data();
            BlockType type = tensor.type();
            long columns = tensor.shape()[1];
            long bytes = columns / type.weights() * type.bytes();
            return (row, to, toRow) -> {
                int from = interleaved ? HeadRows.inGguf(row, config.headDim()) : row;
                if (to.format().blockType() == type) {
                    int blocks = Math.toIntExact(columns / PackedMatrix.UNIT);
                    if (!to.setGguf(toRow, data, from * bytes, blocks)) {
                        throw notFinite(spec.name());
                    }
                } else {
                    float[] values = tensor.floats(from * bytes, bytes);
                    requireFinite(spec.name(), values);
                    quantize(paddedRow(values), to, toRow);
                }
            };
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
