package dev.penjing.model.text;

import dev.penjing.model.template.ChatTemplate;
import dev.penjing.model.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// What begins and ends a model's texts: EOS and BOS ids, whether a text begins with BOS, the
/// written forms of the special tokens, the chat template. Immutable and safe to share between
/// threads.
///
/// This is the one place that knows; training, evaluation, the engine and GGUF conversion all ask
/// it. A model has the same conventions as a folder and as the GGUF file made from it.
public final class TextConventions {
    /// Tokens by which pretraining closes a document, by the names that models give them.
    private static final List<String> DOCUMENT_ENDS =
            List.of("<|endoftext|>", "<|end_of_text|>", "</s>");

    /// Tokens by which chat models close a turn.
    private static final List<String> TURN_ENDS = List.of("<|im_end|>", "<|eot_id|>", "<|eom_id|>");

    /// The keys of GGUF metadata for ids that end an answer beside EOS: end of turn, of message.
    public static final List<String> GGUF_MORE_ENDS =
            List.of("tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id");

    private final Map<SpecialToken, String> texts;
    private final Map<SpecialToken, Integer> ids;
    private final Set<Integer> declaredEnds;
    private final Set<Integer> endIds;
    private final OptionalInt documentEnd;
    private final boolean addsBos;
    private final boolean addsEos;
    private final Optional<String> chatTemplate;

    /// What the files of a model say, in either form.
    ///
    /// @param texts how special tokens are written
    /// @param ids of special tokens, for those whose text the tokenizer does not know
    /// @param ends ids that the files call ends, the best first
    record Declared(
            Map<SpecialToken, String> texts,
            Map<SpecialToken, Integer> ids,
            Set<Integer> ends,
            boolean addsBos,
            boolean addsEos,
            Optional<String> chatTemplate) {}

    TextConventions(Declared declared, Tokenizer tokenizer) {
        texts = new EnumMap<>(SpecialToken.class);
        texts.putAll(declared.texts());
        ids = new EnumMap<>(SpecialToken.class);
        for (SpecialToken token : SpecialToken.values()) {
            OptionalInt byText =
                    texts.containsKey(token) ? tokenizer.id(texts.get(token)) : OptionalInt.empty();
            Integer id = declared.ids().get(token);
            if (byText.isPresent()) {
                ids.put(token, byText.getAsInt());
            } else if (id != null) {
                ids.put(token, id);
            }
        }
        Set<Integer> ends = new LinkedHashSet<>();
        if (ids.containsKey(SpecialToken.EOS)) {
            ends.add(ids.get(SpecialToken.EOS));
        }
        declared.ends().stream().filter(id -> id >= 0).forEach(ends::add);
        declaredEnds = Collections.unmodifiableSet(ends);
        if (!ends.isEmpty()) {
            ids.putIfAbsent(SpecialToken.EOS, ends.iterator().next());
        }
        Set<Integer> all = new LinkedHashSet<>(ends);
        all.addAll(namedEnds(tokenizer));
        endIds = Collections.unmodifiableSet(all);
        addsBos = declared.addsBos();
        addsEos = declared.addsEos();
        chatTemplate = declared.chatTemplate();
        documentEnd = documentEnd(tokenizer);
    }

    /// The ids of tokens that end an answer by their names alone, in whatever model.
    public static Set<Integer> namedEnds(Tokenizer tokenizer) {
        Set<Integer> ids = new LinkedHashSet<>();
        DOCUMENT_ENDS.forEach(name -> tokenizer.id(name).ifPresent(ids::add));
        TURN_ENDS.forEach(name -> tokenizer.id(name).ifPresent(ids::add));
        return ids;
    }

    private OptionalInt documentEnd(Tokenizer tokenizer) {
        OptionalInt eos = id(SpecialToken.EOS);
        List<Integer> known =
                DOCUMENT_ENDS.stream()
                        .map(tokenizer::id)
                        .filter(OptionalInt::isPresent)
                        .map(OptionalInt::getAsInt)
                        .toList();
        if (eos.isPresent() && (known.contains(eos.getAsInt()) || !eosClosesTurns())) {
            return eos;
        }
        OptionalInt named =
                known.stream().filter(tokenizer::isSpecial).mapToInt(Integer::intValue).findFirst();
        return named.isPresent() ? named : eos;
    }

    private boolean eosClosesTurns() {
        return text(SpecialToken.EOS)
                .filter(eos ->
                        TURN_ENDS.contains(eos)
                                || chatTemplate.filter(t -> t.contains(eos)).isPresent())
                .isPresent();
    }

    /// Of a folder in Hugging Face form, as transformers takes it. Each of `tokenizer_config.json`,
    /// `special_tokens_map.json`, `generation_config.json` and `config.json` may be missing.
    ///
    /// @throws dev.penjing.model.PenjingException if one of them cannot be read
    public static TextConventions ofFolder(Path folder, Tokenizer tokenizer) {
        return new TextConventions(new FolderConventions(folder).declared(), tokenizer);
    }

    /// Of a GGUF file, as llama.cpp takes it.
    ///
    /// @param metadata strings as `String`, numbers as `Number`, arrays as `String[]`, `float[]`
    ///   and `int[]`
    public static TextConventions ofGguf(Map<String, Object> metadata, Tokenizer tokenizer) {
        return new TextConventions(GgufConventions.declared(metadata), tokenizer);
    }

    /// The ids that end an answer: those that the model's files declare, EOS first, and those of
    /// the names that end a document or a turn in every model that has them. llama.cpp takes such
    /// names too; without them a chat model whose files declare only the end of a turn would run on
    /// behind the end of a document.
    public Set<Integer> endIds() {
        return endIds;
    }

    /// Of [#endIds], those that the model's files declare, EOS first.
    public Set<Integer> declaredEnds() {
        return declaredEnds;
    }

    /// The id that closes a document of training data: EOS, or, where that only closes a turn of a
    /// chat (as `<|im_end|>` does, and what the chat template writes), the token of pretraining for
    /// it, if the tokenizer has one. Empty if the model knows no end at all.
    public OptionalInt documentEnd() {
        return documentEnd;
    }

    public OptionalInt id(SpecialToken token) {
        return ids.containsKey(token) ? OptionalInt.of(ids.get(token)) : OptionalInt.empty();
    }

    /// How a special token is written; empty if the model has none.
    public Optional<String> text(SpecialToken token) {
        return Optional.ofNullable(texts.get(token));
    }

    /// Whether the tokenizer puts BOS before a text unless it is asked not to
    /// (`add_special_tokens`).
    public boolean addsBos() {
        return addsBos;
    }

    /// The token that every text begins with; empty if texts begin with none.
    public OptionalInt textBegin() {
        return addsBos ? id(SpecialToken.BOS) : OptionalInt.empty();
    }

    /// Whether the tokenizer puts EOS behind a text unless it is asked not to.
    public boolean addsEos() {
        return addsEos;
    }

    /// The source of the chat template, not yet parsed.
    public Optional<String> chatTemplateSource() {
        return chatTemplate;
    }

    /// The chat template, parsed at each call.
    ///
    /// @throws dev.penjing.model.template.TemplateException if it is malformed
    public Optional<ChatTemplate> chatTemplate() {
        return chatTemplate.map(ChatTemplate::parse);
    }

    /// The special tokens as variables of a chat template: `bos_token` and so on, an empty text for
    /// one that the model has not.
    public Map<String, String> templateVariables() {
        Map<String, String> variables = new LinkedHashMap<>();
        for (SpecialToken token : SpecialToken.values()) {
            variables.put(token.textKey(), texts.getOrDefault(token, ""));
        }
        return Collections.unmodifiableMap(variables);
    }
}
