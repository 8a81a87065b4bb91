package dev.penjing.cli;

import dev.penjing.model.PenjingException;
import dev.penjing.model.PenjingVersion;
import dev.penjing.model.UsageException;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Penjing's command line. Exit status: 0 done, 1 failed, 2 wrong usage.
@Command(
        name = "penjing",
        versionProvider = Main.Version.class,
        mixinStandardHelpOptions = true,
        description = "Makes small language models out of large ones.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            DemoCommand.class,
            PullCommand.class,
            InspectCommand.class,
            ImportCommand.class,
            PretrainCommand.class,
            ScoreCommand.class,
            PruneCommand.class,
            DistillCommand.class,
            CompressCommand.class,
            EvaluateCommand.class,
            PerplexityCommand.class,
            LogitsCommand.class,
            QuantizeCommand.class,
            ChatCommand.class,
            ServeCommand.class,
            BenchCommand.class,
            WorldCommand.class,
            TokenizerCommand.class,
            CommandLine.HelpCommand.class
        })
public final class Main {
    Main() {}

    /// What `--version` prints.
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {
                "penjing " + PenjingVersion.version(), "commit " + PenjingVersion.commit()
            };
        }
    }

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /// Runs one command line and returns its exit status.
    static int run(String... args) {
        boolean debug = Arrays.asList(args).contains("--debug");
        CommandLine line = new CommandLine(new Main());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler((e, arguments) -> {
            e.getCommandLine().getErr().println("penjing: " + e.getMessage());
            e.getCommandLine()
                    .getErr()
                    .println(
                            "try '"
                                    + e.getCommandLine().getCommandSpec().qualifiedName(" ")
                                    + " --help'");
            return 2;
        });
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            if (debug) {
                e.printStackTrace(command.getErr());
            }
            command.getErr()
                    .println(
                            "penjing: "
                                    + OptionNames.in(explain(e, debug), command.getCommandSpec()));
            return e instanceof UsageException ? 2 : 1;
        });
        try {
            return line.execute(args);
        } catch (NoClassDefFoundError e) {
            // what is deployed to serve is a few megabytes, without libtorch
            if (!String.valueOf(e.getMessage()).startsWith("org/bytedeco")) {
                throw e;
            }
            line.getErr()
                    .println(
                            "penjing: this command computes with libtorch, which this installation does not hold: run it from Penjing's own folder");
            return 1;
        }
    }

    private static String explain(Exception e, boolean debug) {
        if (e instanceof PenjingException) {
            return String.valueOf(e.getMessage());
        }
        String first = String.valueOf(e).lines().findFirst().orElse("");
        return "this should not have happened: "
                + first
                + (debug ? "" : "; run again with --debug and report what it prints");
    }
}
