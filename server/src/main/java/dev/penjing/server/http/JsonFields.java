package dev.penjing.server.http;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The fields of a JSON object of a request, each taken by its type and range. null is as good as
/// absent. What was not taken when the request has been understood is told by `end`: refused, or
/// named to whoever collects it. Nothing is dropped in silence.
public final class JsonFields {
    private final ObjectNode object;
    private final String path;
    private final Set<String> taken = new HashSet<>();

    /// Told of fields that nobody knows; empty where they are refused.
    private final Optional<Consumer<String>> unknown;

    private JsonFields(ObjectNode object, String path, Optional<Consumer<String>> unknown) {
        this.object = object;
        this.path = path;
        this.unknown = unknown;
    }

    /// Fields of which none may be unknown.
    public static JsonFields of(ObjectNode object) {
        return new JsonFields(object, "", Optional.empty());
    }

    /// @param unknown is told of each field that nobody knows, by its path
    public static JsonFields of(ObjectNode object, Consumer<String> unknown) {
        return new JsonFields(object, "", Optional.of(unknown));
    }

    /// @throws ApiException if `node` is no object
    public static JsonFields of(JsonNode node, String path) {
        return of(node, path, Optional.empty());
    }

    private static JsonFields of(JsonNode node, String path, Optional<Consumer<String>> unknown) {
        if (node instanceof ObjectNode object) {
            return new JsonFields(object, path, unknown);
        }
        throw ApiException.invalid(path, "%s must be an object.".formatted(path));
    }

    /// The name of a field, as errors give it.
    public String path(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /// @throws ApiException about the field
    public ApiException wrong(String name, String what) {
        return ApiException.invalid(path(name), "%s %s.".formatted(path(name), what));
    }

    public Optional<JsonNode> node(String name) {
        taken.add(name);
        JsonNode node = object.get(name);
        return node == null || node.isNull() ? Optional.empty() : Optional.of(node);
    }

    public JsonNode required(String name) {
        return node(name).orElseThrow(() -> wrong(name, "is required"));
    }

    public Optional<String> text(String name) {
        return node(name)
                .map(node -> {
                    if (!node.isString()) {
                        throw wrong(name, "must be a string");
                    }
                    return node.asString();
                });
    }

    /// `false` where the field is absent.
    public boolean flag(String name) {
        return flag(name, false);
    }

    /// @param otherwise where the field is absent
    public boolean flag(String name, boolean otherwise) {
        return node(name)
                .map(node -> {
                    if (!node.isBoolean()) {
                        throw wrong(name, "must be true or false");
                    }
                    return node.asBoolean();
                })
                .orElse(otherwise);
    }

    public OptionalLong whole(String name, long least, long most) {
        Optional<JsonNode> node = node(name);
        if (node.isEmpty()) {
            return OptionalLong.empty();
        }
        // some languages know no whole numbers: 8.0 is one
        JsonNode number = node.get();
        boolean whole =
                number.isIntegralNumber()
                        || number.isNumber() && number.asDouble() == Math.rint(number.asDouble());
        if (!whole
                || !number.canConvertToLong()
                || number.asLong() < least
                || number.asLong() > most) {
            throw wrong(name, "must be a whole number between %d and %d".formatted(least, most));
        }
        return OptionalLong.of(number.asLong());
    }

    public OptionalInt integer(String name, int least, int most) {
        OptionalLong value = whole(name, least, most);
        return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
    }

    public OptionalDouble number(String name, double least, double most) {
        Optional<JsonNode> node = node(name);
        if (node.isEmpty()) {
            return OptionalDouble.empty();
        }
        double value = node.get().isNumber() ? node.get().asDouble() : Double.NaN;
        if (!(value >= least && value <= most)) {
            throw wrong(name, "must be a number between %s and %s".formatted(least, most));
        }
        return OptionalDouble.of(value);
    }

    /// A text, or a list of texts, none of them empty, all of whole characters.
    public List<String> texts(String name, int most) {
        return texts(name, most, false);
    }

    /// @param empty whether one may be empty
    public List<String> texts(String name, int most, boolean empty) {
        Optional<JsonNode> node = node(name);
        List<String> texts = new ArrayList<>();
        if (node.isEmpty()) {
            return texts;
        }
        if (node.get().isString()) {
            texts.add(node.get().asString());
        } else if (node.get().isArray()) {
            for (JsonNode item : node.get()) {
                if (!item.isString()) {
                    throw wrong(name, "must be a string or a list of strings");
                }
                texts.add(item.asString());
            }
        } else {
            throw wrong(name, "must be a string or a list of strings");
        }
        if (texts.size() > most || !empty && texts.stream().anyMatch(String::isEmpty)) {
            throw wrong(
                    name,
                    "must hold at most %d strings%s".formatted(most, empty ? "" : ", none empty"));
        }
        if (texts.stream().anyMatch(JsonFields::broken)) {
            throw wrong(name, "holds half of a character (an unpaired surrogate): mend it");
        }
        return texts;
    }

    /// Whether a text holds half of a character, of which no text in UTF-8 can be made.
    private static boolean broken(String text) {
        return text.codePoints()
                .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    public Optional<JsonFields> object(String name) {
        return node(name).map(node -> of(node, path(name), unknown));
    }

    /// Items of a list, each made by `read` from its fields.
    public <T> List<T> list(String name, Function<JsonFields, T> read) {
        Optional<JsonNode> node = node(name);
        List<T> items = new ArrayList<>();
        if (node.isPresent()) {
            if (!node.get().isArray()) {
                throw wrong(name, "must be a list");
            }
            for (JsonNode item : node.get()) {
                String place = "%s[%d]".formatted(path(name), items.size());
                items.add(read.apply(of(item, place, unknown)));
            }
        }
        return items;
    }

    /// The token ids of a list that is, or is within, the field `name`.
    public int[] ids(String name, JsonNode list, int vocabulary) {
        if (!list.isArray()) {
            throw noIds(name, vocabulary);
        }
        int[] ids = new int[list.size()];
        int count = 0;
        for (JsonNode id : list) {
            boolean good =
                    id.isIntegralNumber()
                            && id.canConvertToInt()
                            && id.asInt() >= 0
                            && id.asInt() < vocabulary;
            if (!good) {
                throw noIds(name, vocabulary);
            }
            ids[count++] = id.asInt();
        }
        return ids;
    }

    private ApiException noIds(String name, int vocabulary) {
        return wrong(
                name, "must be a list of token ids between 0 and %d".formatted(vocabulary - 1));
    }

    /// A map from token ids to numbers.
    public Map<Integer, Float> biases(String name, int vocabulary) {
        Map<Integer, Float> biases = new HashMap<>();
        Optional<JsonFields> map = object(name);
        if (map.isPresent()) {
            for (String key : map.get().object.propertyNames()) {
                if (!key.matches("\\d{1,9}") || Integer.parseInt(key) >= vocabulary) {
                    throw wrong(
                            name,
                            "has a key that is no token id between 0 and %d"
                                    .formatted(vocabulary - 1));
                }
                biases.put(
                        Integer.parseInt(key), (float) map.get().number(key, -100, 100).orElse(0));
            }
        }
        return biases;
    }

    /// Takes fields that change nothing here, whatever they hold.
    public void ignore(String... names) {
        taken.addAll(List.of(names));
    }

    /// Refuses fields that ask for what this server cannot do, unless they are null, false or
    /// empty.
    public void unsupported(String... names) {
        for (String name : names) {
            Optional<JsonNode> node = node(name);
            boolean harmless =
                    node.isEmpty()
                            || node.get().isBoolean() && !node.get().asBoolean()
                            || node.get().isContainer() && node.get().isEmpty();
            if (!harmless) {
                throw wrong(name, "is not supported by this server: leave it out");
            }
        }
    }

    /// The fields' names.
    public Set<String> names() {
        return new HashSet<>(object.propertyNames());
    }

    /// Whether what cannot be obeyed is named to whoever collects it, not refused.
    public boolean lenient() {
        return unknown.isPresent();
    }

    /// Names what within a field was passed over.
    public void passedOver(String name, List<String> places) {
        unknown.ifPresent(told -> places.forEach(place -> told.accept(path(name) + place(place))));
    }

    /// @throws ApiException if a field was not taken that is not null, and none may be unknown
    public void end() {
        for (String name : object.propertyNames()) {
            if (taken.contains(name) || object.path(name).isNull()) {
                continue;
            }
            if (unknown.isEmpty()) {
                throw wrong(shown(name), "is not a field that this server knows");
            }
            unknown.get().accept(path(shown(name)));
        }
    }

    private static String place(String pointer) {
        String safe = pointer.replaceAll("[^\\p{Alnum}_.$#/~=-]", "?");
        return safe.length() > 128 ? safe.substring(0, 128) + "..." : safe;
    }

    private static String shown(String name) {
        String safe = name.replaceAll("[^\\p{Alnum}_.-]", "?");
        return safe.length() > 64 ? safe.substring(0, 64) + "..." : safe;
    }
}
