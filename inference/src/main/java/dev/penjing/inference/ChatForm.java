package dev.penjing.inference;

import dev.penjing.model.PenjingException;
import dev.penjing.model.template.ChatTemplate;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// How texts and conversations become prompts of a model.
record ChatForm(Tokenizer tokenizer, TextConventions conventions, Optional<ChatTemplate> template) {
    static ChatForm of(Tokenizer tokenizer, TextConventions conventions) {
        return new ChatForm(tokenizer, conventions, conventions.chatTemplate());
    }

    /// A text to continue: it begins with BOS where the model's texts do, and once, if it is
    /// written there already.
    int[] text(String text) {
        int[] ids = tokenizer.encode(text);
        OptionalInt bos = conventions.textBegin();
        if (bos.isEmpty() || ids.length > 0 && ids[0] == bos.getAsInt()) {
            return ids;
        }
        int[] begun = new int[ids.length + 1];
        begun[0] = bos.getAsInt();
        System.arraycopy(ids, 0, begun, 1, ids.length);
        return begun;
    }

    /// A conversation by the model's chat template, the assistant's turn begun.
    ///
    /// @param more variables of the template
    /// @throws PenjingException if there is no template, or it refuses the messages
    String render(List<? extends Map<String, ?>> messages, Map<String, ?> more) {
        ChatTemplate chat =
                template.orElseThrow(() ->
                        new PenjingException(
                                "this model has no chat template: it continues text, but holds no conversation"));
        Map<String, Object> variables = new HashMap<>(conventions.templateVariables());
        variables.put("messages", messages);
        variables.put("add_generation_prompt", true);
        variables.putAll(more);
        return chat.render(variables);
    }

    /// Whether the template asks for a variable.
    boolean asksFor(String variable) {
        return template.map(t -> t.source().contains(variable)).orElse(false);
    }
}
