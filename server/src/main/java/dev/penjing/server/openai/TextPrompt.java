package dev.penjing.server.openai;

import dev.penjing.inference.Engine;
import java.util.Arrays;

/// A prompt as token ids.
///
/// @param added how many of its first ids the server put before the client's own: 1 for a BOS
///   token, else 0
record TextPrompt(int[] ids, int added) {
    /// A text as the model's tokenizer reads it. Special tokens are added as vLLM adds them
    /// (`add_special_tokens`): a BOS token, if the model's texts begin with one and this text does
    /// not already.
    static TextPrompt of(Engine engine, String text, boolean addSpecialTokens) {
        int[] ids = engine.tokenizer().encode(text);
        int[] begun = addSpecialTokens ? engine.text(text) : ids;
        return new TextPrompt(begun, begun.length - ids.length);
    }

    /// Ids that the client gave: nothing is added to them.
    static TextPrompt given(int[] ids) {
        return new TextPrompt(ids, 0);
    }

    /// The client's own text again.
    String text(Engine engine) {
        return engine.tokenizer().decode(Arrays.copyOfRange(ids, added, ids.length), false);
    }
}
