package dev.penjing.server.openai;

import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.constraint.Constraint;
import dev.penjing.model.UsageException;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.JsonFields;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// What a request says about how to continue a prompt: OpenAI's fields, and NIM's and vLLM's, which
/// may stand beside them or under `nvext`.
///
/// @param minTokens that an answer has before it may end
/// @param count of answers
/// @param usage whether a stream ends with the counts of tokens
record RequestParameters(
        Sampling sampling,
        List<String> stops,
        Set<Integer> stopTokens,
        boolean ignoreEnd,
        int minTokens,
        Optional<Constraint> constraint,
        int count,
        boolean stream,
        boolean usage) {
    private static final int MOST_STOPS = 64;

    static RequestParameters of(JsonFields fields, int vocabulary) {
        JsonFields more = fields.object("nvext").orElse(fields);
        int topK = or(fields, more, "top_k", -1, vocabulary, 0);
        Sampling sampling =
                new Sampling(
                        (float) fields.number("temperature", 0, 2).orElse(1),
                        Math.max(0, topK),
                        topP(fields),
                        (float) or(fields, more, "min_p", 0, 1, 0.0),
                        (float) repetition(fields, more),
                        (float) fields.number("frequency_penalty", -2, 2).orElse(0),
                        (float) fields.number("presence_penalty", -2, 2).orElse(0),
                        fields.biases("logit_bias", vocabulary),
                        fields.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE));
        boolean stream = fields.flag("stream");
        boolean ignoreEnd = fields.flag("ignore_eos") | more.flag("ignore_eos");
        Optional<JsonFields> options = fields.object("stream_options");
        boolean usage = options.map(o -> o.flag("include_usage")).orElse(false);
        options.ifPresent(o -> {
            o.ignore("include_obfuscation", "continuous_usage_stats");
            o.end();
        });
        RequestParameters all =
                new RequestParameters(
                        sampling,
                        stops(fields),
                        stopTokens(fields, vocabulary),
                        ignoreEnd,
                        or(fields, more, "min_tokens", 0, Integer.MAX_VALUE, 0),
                        constraint(fields, more),
                        fields.integer("n", 1, 128).orElse(1),
                        stream,
                        usage);
        if (more != fields) {
            more.end();
        }
        return all;
    }

    /// Empty ones end nothing.
    private static List<String> stops(JsonFields fields) {
        return fields.texts("stop", MOST_STOPS, true).stream()
                .filter(text -> !text.isEmpty())
                .toList();
    }

    private static float topP(JsonFields fields) {
        double value = fields.number("top_p", 0, 1).orElse(1);
        // 0 is allowed by OpenAI: the likeliest token alone
        return (float) Math.max(1e-6, value);
    }

    /// vLLM's and Hugging Face's name, else that of llama.cpp, Ollama and LM Studio.
    private static double repetition(JsonFields fields, JsonFields more) {
        double theirs = fields.number("repeat_penalty", 0.01, 100).orElse(1);
        return or(fields, more, "repetition_penalty", 0.01, 100, theirs);
    }

    private static int or(
            JsonFields fields, JsonFields more, String name, int least, int most, int otherwise) {
        OptionalInt value = fields.integer(name, least, most);
        return value.isPresent()
                ? value.getAsInt()
                : more.integer(name, least, most).orElse(otherwise);
    }

    private static double or(
            JsonFields fields,
            JsonFields more,
            String name,
            double least,
            double most,
            double otherwise) {
        return fields.number(name, least, most)
                .orElse(more.number(name, least, most).orElse(otherwise));
    }

    private static Set<Integer> stopTokens(JsonFields fields, int vocabulary) {
        Set<Integer> ids = new HashSet<>();
        fields.node("stop_token_ids")
                .ifPresent(list -> {
                    for (int id : fields.ids("stop_token_ids", list, vocabulary)) {
                        ids.add(id);
                    }
                });
        return ids;
    }

    private static Optional<Constraint> constraint(JsonFields fields, JsonFields more) {
        List<Constraint> all = new ArrayList<>();
        fields.object("response_format")
                .ifPresent(format -> {
                    responseFormat(format).ifPresent(all::add);
                    format.end();
                });
        Set<JsonFields> places = more == fields ? Set.of(fields) : Set.of(fields, more);
        for (JsonFields place : places) {
            guided(place, "guided_", all);
            // vLLM's newer name for the same
            place.object("structured_outputs")
                    .ifPresent(outputs -> {
                        guided(outputs, "", all);
                        if (outputs.flag("json_object")) {
                            all.add(Constraint.json());
                        }
                        outputs.end();
                    });
        }
        if (all.size() > 1) {
            throw ApiException.invalid(
                    "response_format",
                    "Of response_format, structured_outputs, guided_json, guided_regex and guided_choice only one can be given.");
        }
        return all.stream().findFirst();
    }

    private static void guided(JsonFields place, String prefix, List<Constraint> all) {
        String json = prefix + "json";
        String regex = prefix + "regex";
        String choice = prefix + "choice";
        place.node(json).ifPresent(schema -> all.add(schema(place, json, schema, false)));
        place.text(regex)
                .ifPresent(
                        pattern -> all.add(tried(place, regex, () -> Constraint.regex(pattern))));
        List<String> choices = place.texts(choice, 1000);
        if (!choices.isEmpty()) {
            all.add(tried(place, choice, () -> Constraint.choice(choices)));
        }
        place.unsupported(prefix + "grammar");
    }

    private static Optional<Constraint> responseFormat(JsonFields format) {
        String type = format.text("type").orElseThrow(() -> format.wrong("type", "is required"));
        return switch (type) {
            case "text" -> Optional.empty();
            case "json_object" ->
                    Optional.of(
                            format.node("schema")
                                    .map(schema -> schema(format, "schema", schema, false))
                                    .orElseGet(Constraint::json));
            case "json_schema" -> {
                JsonFields named =
                        format.object("json_schema")
                                .orElseThrow(() -> format.wrong("json_schema", "is required"));
                yield Optional.of(named(named));
            }
            default ->
                    throw format.wrong(
                            "type", "must be \"text\", \"json_object\" or \"json_schema\"");
        };
    }

    /// A schema with its name, as `response_format` and `text.format` have it.
    static Constraint named(JsonFields named) {
        String name = named.text("name").orElseThrow(() -> named.wrong("name", "is required"));
        if (!name.matches("[a-zA-Z0-9_-]{1,64}")) {
            throw named.wrong("name", "must be 1 to 64 letters, digits, _ or -");
        }
        boolean strict = named.flag("strict");
        named.ignore("description");
        Constraint form =
                named.node("schema")
                        .map(schema -> schema(named, "schema", schema, strict))
                        .orElseGet(Constraint::json);
        named.end();
        return form;
    }

    /// @param strict whether what cannot be obeyed refuses the request; else it is named
    static Constraint schema(JsonFields fields, String name, JsonNode schema, boolean strict) {
        String text = schema.isString() ? schema.asString() : schema.toString();
        boolean all = strict || !fields.lenient();
        Constraint form =
                tried(fields, name, () -> all ? Constraint.schema(text) : Constraint.lenient(text));
        fields.passedOver(name, form.ignored());
        return form;
    }

    private static Constraint tried(
            JsonFields fields, String name, java.util.function.Supplier<Constraint> maker) {
        try {
            return maker.get();
        } catch (UsageException e) {
            throw fields.wrong(name, "cannot be used: " + e.getMessage());
        }
    }

    /// The requests for a prompt, one for each answer.
    ///
    /// @param top alternatives to report with each token; empty for no log-probabilities
    /// @throws ApiException if they may not be as long as they have to be
    List<Request> requests(int[] prompt, int maxTokens, OptionalInt top, int firstIndex) {
        if (minTokens > maxTokens) {
            throw ApiException.invalid(
                    "min_tokens",
                    "min_tokens is %d, but the answer may have %d tokens at most: ask for fewer, or set that limit higher."
                            .formatted(minTokens, maxTokens));
        }
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            requests.add(
                    new Request(
                            prompt,
                            maxTokens,
                            minTokens,
                            seeded(firstIndex + i),
                            stops,
                            stopTokens,
                            ignoreEnd,
                            top,
                            constraint));
        }
        return requests;
    }

    private Sampling seeded(int index) {
        OptionalLong seed = sampling.seed();
        if (seed.isEmpty() || index == 0) {
            return sampling;
        }
        return new Sampling(
                sampling.temperature(),
                sampling.topK(),
                sampling.topP(),
                sampling.minP(),
                sampling.repetitionPenalty(),
                sampling.frequencyPenalty(),
                sampling.presencePenalty(),
                sampling.logitBias(),
                OptionalLong.of(seed.getAsLong() + index));
    }

    /// The same, held to a form.
    RequestParameters constrained(Constraint form) {
        return new RequestParameters(
                sampling,
                stops,
                stopTokens,
                ignoreEnd,
                minTokens,
                Optional.of(form),
                count,
                stream,
                usage);
    }

    RequestParameters answers(int number) {
        return new RequestParameters(
                sampling,
                stops,
                stopTokens,
                ignoreEnd,
                minTokens,
                constraint,
                number,
                stream,
                usage);
    }
}
