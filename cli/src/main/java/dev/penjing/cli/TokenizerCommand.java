package dev.penjing.cli;

import dev.penjing.compression.data.Corpus;
import dev.penjing.model.tokenizer.BpeTrainer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `tokenizer`
@Command(name = "tokenizer", description = "Train a byte-level BPE tokenizer on text.")
final class TokenizerCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Option(
            names = "--data",
            required = true,
            arity = "1..*",
            description = "Text: .jsonl files, text files, folders.")
    List<Path> paths = List.of();

    @Option(names = "--vocab-size", required = true, description = "Tokens in all.")
    int vocabularySize;

    @Option(
            names = "--special",
            split = ",",
            defaultValue = "<|endoftext|>,<|im_start|>,<|im_end|>",
            description = "Special tokens (default: ${DEFAULT-VALUE}).")
    List<String> special = List.of();

    @Option(
            names = "--characters",
            description = "Learn from the first so many characters of the text (default: all).")
    long characters = Long.MAX_VALUE;

    @Option(names = "--to", required = true, description = "The folder to make.")
    Path to = Path.of("");

    @Override
    public Integer call() {
        List<String> texts = new ArrayList<>();
        long[] seen = {0};
        Corpus.of(paths)
                .forEach(text -> {
                    if (seen[0] <= characters) {
                        texts.add(text);
                        seen[0] += text.length();
                    }
                });
        Tokenizers.save(BpeTrainer.trainByteLevel(texts, vocabularySize, special), to);
        Output.print(common, "tokenizer", to.toString());
        return 0;
    }
}
