package dev.penjing.model.tokenizer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How a vocabulary's special tokens are written, so that what somebody wrote in a conversation is
/// told from what the chat template writes: no user's text opens a turn.
public final class SpecialTexts {
    /// Stands within a special token's text that is no token. A noncharacter of Unicode, which no
    /// text is to hold.
    static final char MARK = '\ufdd0';

    private final List<String> texts;

    private SpecialTexts(List<String> texts) {
        this.texts = texts;
    }

    public static SpecialTexts of(Tokenizer tokenizer) {
        List<String> texts = new ArrayList<>();
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            if (tokenizer.isSpecial(id)) {
                String text = tokenizer.decode(new int[] {id}, false);
                if (text.length() > 1) {
                    texts.add(text);
                }
            }
        }
        return new SpecialTexts(List.copyOf(texts));
    }

    /// A value of a template with the special tokens in its texts marked, for
    /// [Tokenizer#encodeMarked]: a text, a list, a map, or what holds no text.
    public Object marked(Object value) {
        return switch (value) {
            case String text -> marked(text);
            case List<?> list -> {
                // a template tells nulls from what is missing
                List<Object> all = new ArrayList<>();
                list.forEach(item -> all.add(item == null ? item : marked(item)));
                yield all;
            }
            case Map<?, ?> map -> {
                Map<Object, Object> all = new LinkedHashMap<>();
                map.forEach((key, item) -> all.put(key, item == null ? item : marked(item)));
                yield all;
            }
            default -> value;
        };
    }

    private String marked(String given) {
        String text = unmarked(given);
        StringBuilder all = new StringBuilder();
        for (int at = 0; at < text.length(); at++) {
            all.append(text.charAt(at));
            int here = at;
            if (texts.stream().anyMatch(special -> text.startsWith(special, here))) {
                all.append(MARK);
            }
        }
        return all.length() == text.length() ? text : all.toString();
    }

    /// A text without marks.
    public static String unmarked(String text) {
        return text.indexOf(MARK) < 0 ? text : text.replace(String.valueOf(MARK), "");
    }
}
