package dev.penjing.cli;

import dev.penjing.inference.EngineOptions;
import dev.penjing.model.UsageException;
import dev.penjing.server.Startup;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.settings.Setting;
import dev.penjing.server.settings.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `serve`
@Command(
        name = "serve",
        description = {
            "Serve models over HTTP: OpenAI's interface, NIM's management, and a playground.",
            "Each setting can also come from the environment or a file: --show-config tells which."
        },
        modelTransformer = ServeCommand.WithSettings.class)
final class ServeCommand implements Callable<Integer> {
    @Mixin Options.Common common = new Options.Common();

    @Parameters(
            paramLabel = "MODEL",
            arity = "0..1",
            description =
                    "What to serve: "
                            + ModelSources.DESCRIPTION
                            + " NAME=MODEL gives it a name of its own.")
    Optional<String> model = Optional.empty();

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "A JSON object of settings, by name.")
    Optional<Path> config = Optional.empty();

    @Option(names = "--show-config", description = "Show every setting and end.")
    boolean showConfig;

    /// What was given of the settings that the server knows.
    private final Map<String, String> given = new LinkedHashMap<>();

    /// An option for each setting of the server.
    static final class WithSettings implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec spec) {
            ServeCommand command = (ServeCommand) spec.userObject();
            for (Setting setting : Settings.known()) {
                if (setting.name().equals("model")) {
                    continue;
                }
                boolean list = setting.kind() instanceof Setting.Texts;
                spec.addOption(
                        OptionSpec.builder("--" + setting.name())
                                .paramLabel(label(setting))
                                .type(list ? List.class : String.class)
                                .auxiliaryTypes(String.class)
                                .arity(setting.kind() instanceof Setting.Flag ? "0..1" : "1")
                                .fallbackValue("true")
                                .description(description(setting))
                                .setter(setter(command, setting.name()))
                                .build());
            }
            return spec;
        }

        private static String label(Setting setting) {
            return switch (setting.kind()) {
                case Setting.Whole w -> "N";
                case Setting.Flag f -> "true|false";
                case Setting.Choice c -> String.join("|", c.words());
                case Setting.Text t -> "TEXT";
                case Setting.Texts t -> "TEXT";
            };
        }

        private static String description(Setting setting) {
            String initial =
                    setting.initial()
                            .filter(text -> !text.isEmpty())
                            .map(text -> " (default: " + text + ")")
                            .orElse("");
            return (setting.help() + initial).replace("%", "%%");
        }

        private static CommandLine.Model.ISetter setter(ServeCommand command, String name) {
            return new CommandLine.Model.ISetter() {
                @Override
                @SuppressWarnings("unchecked")
                public <T> T set(T value) {
                    if (value instanceof List<?> texts) {
                        command.given.put(name, String.join(",", (List<String>) texts));
                    } else if (value != null) {
                        command.given.put(name, value.toString());
                    }
                    return value;
                }
            };
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        model.ifPresent(text -> given.put("model", text));
        Settings settings = Settings.resolve(given, System.getenv(), config);
        if (showConfig) {
            System.out.println(common.json ? settings.toJson() : settings.describe());
            return 0;
        }
        settings.checkExposure();
        ConsoleProgress progress = new ConsoleProgress();
        settings.warnings().forEach(progress::say);
        if (settings.optionalText("model").isEmpty()) {
            throw new UsageException("serve what? give a MODEL, or set NIM_MODEL_PATH");
        }
        Serving.untilEnded(
                models(settings, progress), settings, List.of(), progress, address -> {});
        return 0;
    }

    private static List<ServedModel> models(Settings settings, ConsoleProgress progress) {
        List<ServedModel> models = new ArrayList<>();
        Optional<Path> draft =
                settings.optionalText("draft-model").map(m -> ModelSources.enginePath(m, progress));
        List<String> names = settings.list("served-model-name");
        models.add(
                served(
                        settings.text("model"),
                        names.stream().findFirst(),
                        Startup.engine(settings, draft),
                        progress));
        for (String other : settings.list("also")) {
            models.add(
                    served(
                            other,
                            Optional.empty(),
                            Startup.engine(settings, Optional.empty()),
                            progress));
        }
        return models;
    }

    /// @param source `MODEL` or `NAME=MODEL`
    private static ServedModel served(
            String source, Optional<String> name, EngineOptions options, ConsoleProgress progress) {
        int equals = source.matches("[\\w.-]{1,64}=.+") ? source.indexOf('=') : -1;
        String model = source.substring(equals + 1);
        Path path = ModelSources.enginePath(model, progress);
        String id = equals > 0 ? source.substring(0, equals) : name.orElseGet(() -> called(model));
        return new ServedModel(id, path, options);
    }

    /// `org/name` of a hub model, else the file's or folder's name.
    private static String called(String model) {
        if (model.startsWith("hf:")) {
            return model.substring(3).replaceFirst("@.*", "");
        }
        Path file = Path.of(model).toAbsolutePath().normalize().getFileName();
        return file == null ? "model" : file.toString().replaceFirst("\\.gguf$", "");
    }
}
