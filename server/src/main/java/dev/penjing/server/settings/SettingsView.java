package dev.penjing.server.settings;

import dev.penjing.server.settings.Settings.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Settings for people and for programs, secrets left out.
final class SettingsView {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String HIDDEN = "***";

    private SettingsView() {}

    static String table(Settings settings) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("SETTING", "VALUE", "FROM", "MEANING"));
        for (Setting setting : Settings.known()) {
            Optional<Settings.Value> value = settings.value(setting.name());
            rows.add(
                    List.of(
                            setting.name(),
                            value.map(v -> shown(setting, v)).orElse("-"),
                            value.map(SettingsView::origin).orElse("not set"),
                            setting.help() + variables(setting)));
        }
        int[] widths = new int[3];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder table = new StringBuilder();
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                table.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 2);
            }
            table.append(row.get(widths.length)).append('\n');
        }
        return table.toString();
    }

    static String json(Settings settings) {
        ObjectNode root = JSON.createObjectNode();
        for (Setting setting : Settings.known()) {
            ObjectNode node = root.putObject(setting.name());
            Optional<Settings.Value> value = settings.value(setting.name());
            if (value.isEmpty()) {
                node.putNull("value");
            } else if (setting.secret()) {
                node.put("value", HIDDEN);
            } else {
                String text = value.get().text();
                switch (setting.kind()) {
                    case Setting.Whole w -> node.put("value", Long.parseLong(text));
                    case Setting.Flag f -> node.put("value", Boolean.parseBoolean(text));
                    case Setting.Texts t ->
                            Setting.split(text).forEach(node.withArray("value")::add);
                    case Setting.Text t -> node.put("value", text);
                    case Setting.Choice c -> node.put("value", text);
                }
            }
            node.put("source", settings.source(setting.name()).name().toLowerCase(Locale.ROOT));
            node.put("origin", value.map(Settings.Value::origin).orElse(""));
            setting.environment().forEach(node.putArray("environment")::add);
            node.put("help", setting.help());
        }
        return JSON.writeValueAsString(root);
    }

    private static String shown(Setting setting, Settings.Value value) {
        return setting.secret() ? HIDDEN : value.text();
    }

    private static String origin(Settings.Value value) {
        return value.source() == Source.DEFAULT ? "default" : value.origin();
    }

    private static String variables(Setting setting) {
        return " [" + String.join(", ", setting.environment()) + "]";
    }
}
