package dev.penjing.compression.run;

import dev.penjing.compression.decoder.TorchModel;
import dev.penjing.model.PenjingException;
import dev.penjing.model.tokenizer.Tokenizer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/// A talk with a model in ChatML form, line by line, greedily. The engine's `chat` will take its
/// place.
public final class Conversation {
    private Conversation() {}

    public static void run(TorchModel model, int maxNewTokens, InputStream in, PrintStream out)
            throws IOException {
        Tokenizer tokenizer = model.tokenizer();
        OptionalInt end = tokenizer.id("<|im_end|>");
        if (end.isEmpty()) {
            throw new PenjingException(
                    "this model's tokenizer has no <|im_end|>: chat speaks ChatML only, so far");
        }
        out.println("An empty line starts a new talk, Ctrl-D ends it.");
        StringBuilder talk = new StringBuilder();
        BufferedReader reader =
                new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        out.print("> ");
        out.flush();
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.isBlank()) {
                talk.setLength(0);
                out.println("(a new talk)");
            } else {
                talk.append("<|im_start|>user\n").append(line).append("<|im_end|>\n");
                talk.append("<|im_start|>assistant\n");
                int[] prompt = tokenizer.encode(talk.toString());
                int[] answer = model.generate(prompt, maxNewTokens, id -> id == end.getAsInt());
                String text = tokenizer.decode(answer, true);
                talk.append(text).append("<|im_end|>\n");
                out.println(text);
            }
            out.print("> ");
            out.flush();
        }
        out.println();
    }
}
