package dev.penjing.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Contexts of an item: what stands before it, shots, and the question, put together as
/// lm-evaluation-harness 0.4.13 does (`fewshot_context` of `api/task.py`).
///
/// @param conversation renders messages by the model's chat template, ready for the answer; without
///   it texts are put one behind the other
/// @param separateTurns whether shots are turns of their own in a conversation, rather than all in
///   one message
public record Prompts(
        Optional<Function<List<Message>, String>> conversation, boolean separateTurns) {
    private static final String BEFORE_ANSWER = " ";
    private static final String BETWEEN = "\n\n";

    public static final Prompts PLAIN = new Prompts(Optional.empty(), false);

    /// @param role `system`, `user` or `assistant`
    public record Message(String role, String content) {
        /// Messages as chat templates take them.
        public static List<Map<String, String>> maps(List<Message> messages) {
            return messages.stream()
                    .map(m -> Map.of("role", m.role(), "content", m.content()))
                    .toList();
        }
    }

    private record Part(Message message, String end) {}

    /// One context; of an item with several contexts, all of them.
    List<String> contexts(Task task, List<TaskItem> shots, TaskItem item) {
        return switch (item) {
            case TaskItem.Contexts several ->
                    several.contexts().stream().map(c -> context(task, shots, c)).toList();
            default -> List.of(context(task, shots, item.question()));
        };
    }

    /// What stands between a context and a choice.
    String beforeChoice() {
        return conversation.isPresent() ? "" : BEFORE_ANSWER;
    }

    private String context(Task task, List<TaskItem> shots, String question) {
        List<Part> parts = new ArrayList<>();
        for (TaskItem shot : shots) {
            if (shot.answer().isEmpty()) {
                // the harness takes it for a question that nobody answered
                parts.add(new Part(new Message("user", shot.question()), ""));
                continue;
            }
            parts.add(new Part(new Message("user", shot.question()), BEFORE_ANSWER));
            parts.add(new Part(new Message("assistant", shot.answer()), BETWEEN));
        }
        parts.add(new Part(new Message("user", question), ""));
        if (conversation.isEmpty()) {
            return task.description() + joined(parts);
        }
        List<Message> messages = new ArrayList<>();
        if (!task.description().isEmpty()) {
            messages.add(new Message("system", task.description()));
        }
        if (separateTurns) {
            parts.forEach(part -> messages.add(part.message()));
        } else {
            messages.add(new Message("user", joined(parts)));
        }
        return conversation.get().apply(messages);
    }

    private static String joined(List<Part> parts) {
        StringBuilder text = new StringBuilder();
        parts.forEach(part -> text.append(part.message().content()).append(part.end()));
        return text.toString();
    }
}
