package dev.penjing.inference;

import dev.penjing.model.PenjingException;
import dev.penjing.model.template.ChatTemplate;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.SpecialTexts;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// How texts and conversations become prompts of a model.
///
/// @param specials that nothing in a conversation is to be taken for
record ChatForm(
        Tokenizer tokenizer,
        TextConventions conventions,
        Optional<ChatTemplate> template,
        SpecialTexts specials) {
    static ChatForm of(Tokenizer tokenizer, TextConventions conventions) {
        return new ChatForm(
                tokenizer, conventions, conventions.chatTemplate(), SpecialTexts.of(tokenizer));
    }

    /// A text to continue: it begins with BOS where the model's texts do, and once, if it is
    /// written there already.
    int[] text(String text) {
        return begun(tokenizer.encode(text));
    }

    /// Ids that begin with BOS where the model's texts do.
    int[] begun(int[] ids) {
        OptionalInt bos = conventions.textBegin();
        if (bos.isEmpty() || ids.length > 0 && ids[0] == bos.getAsInt()) {
            return ids;
        }
        int[] begun = new int[ids.length + 1];
        begun[0] = bos.getAsInt();
        System.arraycopy(ids, 0, begun, 1, ids.length);
        return begun;
    }

    /// A conversation as ids, by the model's chat template. What the messages hold is text: only
    /// the template writes special tokens.
    ///
    /// @throws PenjingException as [#render]
    int[] chat(List<? extends Map<String, ?>> messages, Map<String, ?> more) {
        List<Map<String, Object>> marked = new ArrayList<>();
        for (Map<String, ?> message : messages) {
            marked.add(marked(message));
        }
        return tokenizer.encodeMarked(render(marked, marked(more)));
    }

    private Map<String, Object> marked(Map<String, ?> values) {
        Map<String, Object> all = new LinkedHashMap<>(values);
        all.replaceAll((name, value) -> value == null ? value : specials.marked(value));
        return all;
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
