package dev.penjing.model.hub;

import dev.penjing.model.UsageException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A model on a hub: `hf:org/name[@revision]`.
public record HubModel(String organisation, String name, String revision) {
    private static final Pattern FORM =
            Pattern.compile("hf:([\\w][\\w.-]*)/([\\w][\\w.-]*)(?:@([\\w][\\w./-]*))?");

    /// @throws UsageException if `source` is not of that form
    public static HubModel parse(String source) {
        Matcher matcher = FORM.matcher(source);
        if (!matcher.matches() || source.contains("..")) {
            throw new UsageException(
                    "'"
                            + source
                            + "' names no model on a hub: write hf:org/name or hf:org/name@revision");
        }
        String revision = matcher.group(3);
        return new HubModel(
                matcher.group(1), matcher.group(2), revision == null ? "main" : revision);
    }

    String id() {
        return organisation + "/" + name;
    }

    /// The model's folder in the hub's own cache layout.
    String cacheFolder() {
        return "models--" + organisation + "--" + name;
    }
}
