package dev.penjing.world;

/// Small matters of English.
final class Text {
    private Text() {}

    static String capital(String text) {
        return text.isEmpty() ? text : Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }

    static String lower(String text) {
        return text.isEmpty() ? text : Character.toLowerCase(text.charAt(0)) + text.substring(1);
    }

    /// With its article.
    static String a(String noun) {
        return ("aeiou".indexOf(noun.charAt(0)) >= 0 ? "an " : "a ") + noun;
    }

    static String plural(int count, String plural) {
        return count + " " + (count == 1 ? plural.substring(0, plural.length() - 1) : plural);
    }
}
