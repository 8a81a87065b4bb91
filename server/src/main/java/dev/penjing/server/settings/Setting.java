package dev.penjing.server.settings;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Something that can be set.
///
/// @param name in kebab case, as on the command line (without the dashes) and in the config file
/// @param environment variables that set it; the first that is there counts
/// @param kind and bounds of its values
/// @param initial value unless told otherwise; empty if there is none
/// @param help one sentence
/// @param secret whether its value must not be shown
public record Setting(
        String name,
        List<String> environment,
        Kind kind,
        Optional<String> initial,
        String help,
        boolean secret) {
    public Setting {
        environment = List.copyOf(environment);
    }

    /// What values there are.
    public sealed interface Kind {
        /// What is allowed, to follow "must be".
        String allowed();

        /// The value in its one spelling, or empty if it is none.
        Optional<String> accept(String text);
    }

    /// Any text that is not empty, on one line.
    public record Text() implements Kind {
        @Override
        public String allowed() {
            return "text on one line, not empty";
        }

        @Override
        public Optional<String> accept(String text) {
            boolean bad = text.isBlank() || text.chars().anyMatch(Character::isISOControl);
            return bad ? Optional.empty() : Optional.of(text.strip());
        }
    }

    /// Texts between commas.
    public record Texts() implements Kind {
        @Override
        public String allowed() {
            return "one or more texts between commas";
        }

        @Override
        public Optional<String> accept(String text) {
            List<String> items = split(text);
            return items.isEmpty() || text.chars().anyMatch(Character::isISOControl)
                    ? Optional.empty()
                    : Optional.of(String.join(",", items));
        }
    }

    /// A whole number, bounds included.
    public record Whole(long least, long most) implements Kind {
        @Override
        public String allowed() {
            return most == Long.MAX_VALUE
                    ? "a whole number, %d or more".formatted(least)
                    : "a whole number between %d and %d".formatted(least, most);
        }

        @Override
        public Optional<String> accept(String text) {
            String digits = text.strip();
            if (!digits.matches("-?[0-9]{1,19}")) {
                return Optional.empty();
            }
            try {
                long value = Long.parseLong(digits);
                return value < least || value > most
                        ? Optional.empty()
                        : Optional.of(Long.toString(value));
            } catch (NumberFormatException e) {
                return Optional.empty();
            }
        }
    }

    /// Yes or no.
    public record Flag() implements Kind {
        @Override
        public String allowed() {
            return "true, false, 1 or 0";
        }

        @Override
        public Optional<String> accept(String text) {
            return switch (text.strip().toLowerCase(Locale.ROOT)) {
                case "true", "1" -> Optional.of("true");
                case "false", "0" -> Optional.of("false");
                default -> Optional.empty();
            };
        }
    }

    /// One of some words, in either case.
    public record Choice(List<String> words) implements Kind {
        public Choice {
            words = List.copyOf(words);
        }

        @Override
        public String allowed() {
            return "one of " + String.join(", ", words);
        }

        @Override
        public Optional<String> accept(String text) {
            String word = text.strip().toLowerCase(Locale.ROOT);
            return words.contains(word) ? Optional.of(word) : Optional.empty();
        }
    }

    static List<String> split(String text) {
        List<String> items = new ArrayList<>();
        for (String item : text.split(",", -1)) {
            if (!item.isBlank()) {
                items.add(item.strip());
            }
        }
        return List.copyOf(items);
    }
}
