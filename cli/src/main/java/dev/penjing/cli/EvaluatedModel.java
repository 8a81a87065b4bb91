package dev.penjing.cli;

import dev.penjing.compression.generation.TorchModel;
import dev.penjing.compression.torch.Compute;
import dev.penjing.evaluation.PromptStyle;
import dev.penjing.evaluation.Prompts;
import dev.penjing.evaluation.Subject;
import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.text.SpecialToken;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.Map;

/// A model opened to be measured, on libtorch or on the engine.
///
/// @param computedBy what computes, in which types and on how many threads
record EvaluatedModel(Subject subject, String computedBy, Runnable closing)
        implements AutoCloseable {
    /// On libtorch, in floating point.
    static EvaluatedModel onTorch(
            Path directory, PromptStyle style, Compute compute, ConsoleProgress progress) {
        Tokenizer tokenizer = Tokenizers.load(directory);
        progress.say("reading " + directory);
        String content = ModelFiles.sha256OfModel(directory);
        TorchModel model = TorchModel.load(directory, tokenizer, compute);
        return new EvaluatedModel(
                Subject.ofFolder(model, content, compute.arithmetic(), directory, style),
                compute.describe(),
                model::close);
    }

    /// On the engine, quantised.
    static EvaluatedModel onEngine(
            Path path, PromptStyle style, EngineOptions options, ConsoleProgress progress) {
        progress.say("reading " + path);
        String content = ModelFiles.sha256OfModel(path);
        Engine engine = Engine.load(path, options, progress);
        progress.finish();
        try {
            if (style.chatTemplate() && !engine.hasChatTemplate()) {
                throw Subject.withoutTemplate(path);
            }
            Subject subject =
                    new Subject(
                            engine.languageModel(),
                            content,
                            engine.arithmetic(),
                            style.begins().orElseGet(engine.conventions()::addsBos),
                            engine.conventions().text(SpecialToken.BOS),
                            engine.conventions().text(SpecialToken.EOS),
                            engine.conventions().declaredEnds(),
                            style.prompts(messages ->
                                    engine.render(Prompts.Message.maps(messages), Map.of())));
            return new EvaluatedModel(subject, engine.describe(), engine::close);
        } catch (RuntimeException e) {
            engine.close();
            throw e;
        }
    }

    @Override
    public void close() {
        closing.run();
    }
}
