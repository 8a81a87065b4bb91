package dev.penjing.cli;

import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Results go to stdout: as text, or as one JSON object with `--json`.
final class Output {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Output() {}

    /// A result that is one value.
    static void print(Options.Common common, String key, String value) {
        System.out.println(
                common.json ? JSON.createObjectNode().put(key, value).toString() : value);
    }

    static void print(ObjectNode result) {
        System.out.println(result.toPrettyString());
    }

    static ObjectNode object() {
        return JSON.createObjectNode();
    }

    /// The command line as the user gave it.
    static String commandLine(picocli.CommandLine.Model.CommandSpec spec) {
        // as typed, with the name of the command
        return "penjing " + String.join(" ", spec.commandLine().getParseResult().originalArgs());
    }
}
