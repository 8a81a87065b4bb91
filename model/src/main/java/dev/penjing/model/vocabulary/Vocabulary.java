package dev.penjing.model.vocabulary;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.NamedTokens;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.text.SpecialToken;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.MergePair;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.function.IntUnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The tokens of a model in Hugging Face form, and the same model with fewer of them. Kept tokens
/// keep their order: the first of them has the id 0, the next 1.
///
/// Kept in any case are added and special tokens, ids that a file of the folder names, and bytes,
/// so that every text can still be written. A tokenizer that does not fall back to bytes keeps its
/// characters.
public final class Vocabulary {
    private final Path folder;
    private final ModelConfig config;
    private final Tokenizer tokenizer;
    private final ObjectNode json;

    /// The written form of each id; empty for padding.
    private final String[] tokens;

    private final Map<String, Integer> ids = new HashMap<>();

    private Vocabulary(Path folder, ModelConfig config) {
        this.folder = folder;
        this.config = config;
        this.tokenizer = Tokenizers.load(folder);
        Tokenizers.requireFits(tokenizer, config, folder);
        this.json = Companions.read(folder, Companions.TOKENIZER);
        this.tokens = new String[config.vocabularySize()];
        Arrays.fill(tokens, "");
        json.at("/model/vocab")
                .properties()
                .forEach(token -> add(token.getKey(), token.getValue().asInt()));
        for (JsonNode token : json.path("added_tokens")) {
            add(token.path("content").asString(""), token.path("id").asInt());
        }
    }

    private void add(String token, int id) {
        tokens[id] = token;
        ids.put(token, id);
    }

    /// @throws PenjingException if the folder has no tokenizer, or one that is not understood or
    ///   not the model's
    public static Vocabulary of(Path folder, ModelConfig config) {
        return new Vocabulary(folder, config);
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /// In which order the tokens can go.
    ///
    /// @param counts how often a text has each id
    public RemovalOrder removalOrder(long[] counts) {
        List<MergePair> merges = new ArrayList<>();
        json.at("/model/merges").forEach(merge -> merges.add(MergePair.of(merge).orElseThrow()));
        int[] left = new int[merges.size()];
        int[] right = new int[merges.size()];
        int[] result = new int[merges.size()];
        for (int i = 0; i < result.length; i++) {
            MergePair merge = merges.get(i);
            left[i] = id(merge.left());
            right[i] = id(merge.right());
            result[i] = id(merge.joined());
        }
        boolean[] present = new boolean[tokens.length];
        for (int id = 0; id < present.length; id++) {
            present[id] = !tokens[id].isEmpty();
        }
        return new RemovalOrder(
                new RemovalOrder.Tokens(present, fixed(), left, right, result), counts);
    }

    private int id(String token) {
        return ids.getOrDefault(token, -1); // every merge's are there, or it would not have loaded
    }

    private boolean[] fixed() {
        boolean[] fixed = new boolean[tokens.length];
        IntConsumer fix =
                id -> {
                    if (id >= 0 && id < fixed.length) {
                        fixed[id] = true;
                    }
                };
        IntUnaryOperator same =
                id -> {
                    fix.accept(id);
                    return id;
                };
        Companions.changeTokenizer(json.deepCopy(), same);
        Companions.changeSettings(Companions.read(folder, Companions.SETTINGS), same);
        NamedTokens.change(Companions.read(folder, Companions.GENERATION), same);
        NamedTokens.change(config.rest().deepCopy(), same);
        TextConventions conventions = TextConventions.ofFolder(folder, tokenizer);
        conventions.endIds().forEach(fix::accept);
        for (SpecialToken token : SpecialToken.values()) {
            conventions.id(token).ifPresent(fix::accept);
        }
        if (json.at("/model/unk_token").isString()) {
            fix.accept(id(json.at("/model/unk_token").stringValue()));
        }
        fixBytes(fix);
        return fixed;
    }

    private void fixBytes(IntConsumer fix) {
        boolean[] bytes = new boolean[256];
        List<Integer> characters = new ArrayList<>();
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            byte[] written = tokenizer.bytes(id);
            if (written.length == 1) {
                bytes[written[0] & 0xff] = true;
                fix.accept(id);
            } else if (tokens[id].codePointCount(0, tokens[id].length()) == 1) {
                characters.add(id);
            }
        }
        boolean all = true;
        for (boolean there : bytes) {
            all &= there;
        }
        if (!all) {
            characters.forEach(fix::accept);
        }
    }

    /// Writes to a folder what belongs to a model beside its configuration and weights, for a model
    /// that keeps some of the tokens. Of one that keeps all, the files are copies.
    ///
    /// @param kept ids, ascending
    public static void copyCompanions(Path from, ModelConfig config, int[] kept, Path to) {
        if (kept.length == config.vocabularySize()) {
            ModelFiles.copyCompanions(from, to);
        } else {
            Companions.write(from, id -> Arrays.binarySearch(kept, id), to);
        }
    }

    /// Where the tokens of a model that was cut from this one stand here, by their ids there.
    /// Tokens are the same that are written the same; padding is as good as other padding.
    ///
    /// @throws PenjingException if it has a token that is not here
    public int[] idsOf(Vocabulary cut) {
        int[] here = new int[cut.tokens.length];
        int padding = 0;
        for (int id = 0; id < here.length; id++) {
            String token = cut.tokens[id];
            if (!token.isEmpty()) {
                here[id] = id(token);
            } else {
                while (padding < tokens.length && !tokens[padding].isEmpty()) {
                    padding++;
                }
                here[id] = padding < tokens.length ? padding++ : -1;
            }
            if (here[id] < 0) {
                throw new PenjingException(
                        "the model of %s has the token '%s' (%d), which the tokenizer of %s lacks: the vocabulary of a student must be part of its teacher's; prune the student from this teacher"
                                .formatted(cut.folder, token, id, folder));
            }
        }
        return here;
    }
}
