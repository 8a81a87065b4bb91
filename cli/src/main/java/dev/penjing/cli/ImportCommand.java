package dev.penjing.cli;

import dev.penjing.model.gguf.GgufImport;
import dev.penjing.model.safetensors.DType;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `import`
@Command(name = "import", description = "Turn a GGUF file into Hugging Face form, dequantised.")
final class ImportCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Parameters(paramLabel = "FILE.gguf", description = "The file to read.")
    Path file = Path.of("");

    @Option(names = "--to", required = true, description = "The directory to make.")
    Path to = Path.of("");

    @Option(
            names = "--dtype",
            defaultValue = "f32",
            description = "Of the weights: f32 (exact), f16 or bf16 (default: f32).")
    DType type = DType.F32;

    @Override
    public Integer call() {
        Targets.keepApart(to, file.toString());
        ConsoleProgress progress = new ConsoleProgress();
        GgufImport.run(file, to, type, progress);
        progress.finish();
        Output.print(common, "model", to.toString());
        return 0;
    }
}
