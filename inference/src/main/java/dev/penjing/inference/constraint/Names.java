package dev.penjing.inference.constraint;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;

/// The names that the objects of a JSON text have had so far, so that none comes twice in one of
/// them: no grammar can see to that. Immutable.
final class Names {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// Where no names are looked at.
    static final Names NONE = new Names(Optional.empty(), Place.OUTSIDE, "", false, false);

    /// Before the first byte.
    static final Names START = new Names(Optional.empty(), Place.VALUE, "", false, false);

    private enum Place {
        OUTSIDE,
        VALUE,
        /// Where a name is due.
        DUE,
        NAME,
        TEXT
    }

    /// A name, and those before it.
    private record Seen(String name, Optional<Seen> before) {
        static boolean has(Optional<Seen> names, String name) {
            for (Optional<Seen> at = names; at.isPresent(); at = at.get().before) {
                if (at.get().name.equals(name)) {
                    return true;
                }
            }
            return false;
        }
    }

    /// An object or a list that is open.
    private record Frame(boolean object, Optional<Seen> seen, Optional<Frame> outer) {}

    private final Optional<Frame> top;
    private final Place place;

    /// The bytes of the name that has begun, one a character.
    private final String name;

    private final boolean escaped;
    private final boolean repeated;

    private Names(
            Optional<Frame> top, Place place, String name, boolean escaped, boolean repeated) {
        this.top = top;
        this.place = place;
        this.name = name;
        this.escaped = escaped;
        this.repeated = repeated;
    }

    /// Whether the bytes that came last ended a name that was there before.
    boolean repeated() {
        return repeated;
    }

    /// After some more bytes of JSON.
    Names after(byte[] octets) {
        if (place == Place.OUTSIDE) {
            return this;
        }
        Names at = this;
        boolean twice = false;
        for (byte octet : octets) {
            at = at.after((char) (octet & 0xff));
            twice |= at.repeated;
        }
        return new Names(at.top, at.place, at.name, at.escaped, twice);
    }

    private Names after(char c) {
        return switch (place) {
            case TEXT, NAME -> inText(c);
            default ->
                    switch (c) {
                        case '"' -> at(top, place == Place.DUE ? Place.NAME : Place.TEXT);
                        case '{', '[' -> {
                            boolean object = c == '{';
                            Frame inner = new Frame(object, Optional.empty(), top);
                            yield at(Optional.of(inner), object ? Place.DUE : Place.VALUE);
                        }
                        case '}', ']' -> at(top.flatMap(Frame::outer), Place.VALUE);
                        case ',' ->
                                at(
                                        top,
                                        top.map(Frame::object).orElse(false)
                                                ? Place.DUE
                                                : Place.VALUE);
                        default -> at(top, place);
                    };
        };
    }

    private Names inText(char c) {
        String longer = place == Place.NAME ? name + c : "";
        if (escaped || c != '"') {
            return new Names(top, place, longer, !escaped && c == '\\', false);
        }
        if (place == Place.TEXT) {
            return at(top, Place.VALUE);
        }
        String whole = decoded(name);
        Frame frame = top.orElseThrow();
        boolean twice = Seen.has(frame.seen, whole);
        Seen seen = new Seen(whole, frame.seen);
        Frame after = new Frame(true, Optional.of(seen), frame.outer);
        return new Names(Optional.of(after), Place.VALUE, "", false, twice);
    }

    private static String decoded(String bytes) {
        String text =
                new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        return text.contains("\\") ? JSON.readTree('"' + text + '"').stringValue() : text;
    }

    private static Names at(Optional<Frame> top, Place place) {
        return new Names(top, place, "", false, false);
    }
}
