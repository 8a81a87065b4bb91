package dev.penjing.bench;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Text to ids on one thread, beside Hugging Face's tokenizers (Rust) on the same tokenizer.json.
///
/// Usage: `bench/run tokenizer MODEL_DIRECTORY TEXT_FILE`
final class TokenizerBench {
    /// A document's worth of text for each call.
    private static final int CHUNK = 4096;

    private TokenizerBench() {}

    public static void main(String[] args) throws Exception {
        try {
            run(args);
        } catch (PenjingException e) {
            System.err.println("penjing: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void run(String[] args) throws Exception {
        if (args.length != 2) {
            System.err.println("usage: bench/run tokenizer MODEL_DIRECTORY TEXT_FILE");
            System.exit(2);
        }
        System.setProperty("OPT_OUT_TRACKING", "true");
        Path directory = Path.of(args[0]);
        Path file = Path.of(args[1]);
        if (!Files.isRegularFile(file)) {
            throw new PenjingException("there is no file " + file);
        }
        String text = Files.readString(file);
        List<String> documents = documents(text);
        double megabytes = text.getBytes(StandardCharsets.UTF_8).length / 1e6;
        Tokenizer ours = Tokenizers.load(directory);
        try (HuggingFaceTokenizer theirs =
                HuggingFaceTokenizer.newInstance(
                        directory.resolve("tokenizer.json"),
                        Map.of("addSpecialTokens", "false", "truncation", "false"))) {
            requireSame(ours, theirs, documents);
            SideBySide.run(
                    "MB/s",
                    2,
                    7,
                    List.of(
                            new SideBySide.Entry(
                                    "Penjing, loaded anew",
                                    () ->
                                            rate(
                                                    megabytes,
                                                    encoding(Tokenizers.load(directory)),
                                                    documents)),
                            new SideBySide.Entry(
                                    "Penjing, words seen before",
                                    () -> rate(megabytes, encoding(ours), documents)),
                            new SideBySide.Entry(
                                    "tokenizers",
                                    () ->
                                            rate(
                                                    megabytes,
                                                    s -> theirs.encode(s).getIds().length,
                                                    documents))));
        }
    }

    private interface Encoding {
        int length(String text);
    }

    private static Encoding encoding(Tokenizer tokenizer) {
        return s -> tokenizer.encode(s).length;
    }

    private static List<String> documents(String text) {
        List<String> documents = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            int space = text.indexOf(' ', at + CHUNK);
            int end = space < 0 ? text.length() : space;
            documents.add(text.substring(at, end));
            at = end;
        }
        return documents;
    }

    private static void requireSame(
            Tokenizer ours, HuggingFaceTokenizer theirs, List<String> documents) {
        for (String document : documents) {
            long[] expected = theirs.encode(document).getIds();
            int[] ids = ours.encode(document);
            if (!Arrays.equals(expected, Arrays.stream(ids).asLongStream().toArray())) {
                throw new IllegalStateException("the two disagree on: " + document);
            }
        }
    }

    private static double rate(double megabytes, Encoding encoding, List<String> documents) {
        long start = System.nanoTime();
        long ids = 0;
        for (String document : documents) {
            ids += encoding.length(document);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        if (ids == 0) {
            throw new IllegalStateException("no ids");
        }
        return megabytes / seconds;
    }
}
