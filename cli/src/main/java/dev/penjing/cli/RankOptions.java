package dev.penjing.cli;

import dev.penjing.compression.ranks.GlooRanks;
import dev.penjing.compression.ranks.LocalRanks;
import dev.penjing.compression.ranks.RankLimits;
import dev.penjing.compression.ranks.RankLost;
import dev.penjing.compression.ranks.RankPlace;
import dev.penjing.compression.ranks.RankProcesses;
import dev.penjing.compression.training.LoopHooks;
import dev.penjing.compression.training.Stopped;
import dev.penjing.model.UsageException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// How many processes train together. This one is one of them if the environment says so, as
/// PyTorch's launchers and Kubeflow's Trainer do; or it starts them.
final class RankOptions {
    @Option(
            names = "--ranks",
            defaultValue = "0",
            description =
                    "Start so many processes on this machine, which share each batch (default: train in this one).")
    int ranks;

    @Option(
            names = "--restarts",
            defaultValue = "3",
            description =
                    "How often they are started again when one is lost (default: ${DEFAULT-VALUE}).")
    int restarts = 3;

    /// What a rank does.
    interface Work {
        /// @param sharing processes on this machine
        void train(LoopHooks hooks, int sharing);
    }

    /// @return the status to end with
    int run(CommandSpec spec, Work work) {
        Map<String, String> environment = System.getenv();
        Optional<RankPlace> place = RankPlace.of(environment);
        Optional<LocalRanks> node =
                place.isPresent() ? Optional.empty() : LocalRanks.ofKubeflow(environment);
        if (ranks < 0 || ranks > 0 && (place.isPresent() || node.isPresent())) {
            throw new UsageException(
                    ranks < 0
                            ? "`ranks` must be positive"
                            : "`ranks` starts processes on this machine alone, and the environment says (RANK or PET_NNODES) that others do: give one of both");
        }
        if (place.isEmpty() && ranks > 0) {
            node = Optional.of(LocalRanks.all(ranks));
        }
        if (node.isPresent() && node.get().count() > 1) {
            return start(spec, node.get());
        }
        if (place.isEmpty() && node.isPresent() && node.get().worldSize() > 1) {
            place = Optional.of(node.get().place(0));
        }
        try (StopSignal stop = new StopSignal()) {
            try {
                if (place.isPresent() && place.get().worldSize() > 1) {
                    together(place.get(), stop, work);
                } else {
                    work.train(LoopHooks.single(stop::requested), 1);
                }
                return 0;
            } catch (Stopped e) {
                return ended(spec, e);
            } catch (RankLost e) {
                int status = ended(spec, e);
                // an exchange that has not ended would hold the end up
                Runtime.getRuntime().halt(status);
                return status;
            }
        }
    }

    private static int ended(CommandSpec spec, RuntimeException e) {
        String message = OptionNames.in(String.valueOf(e.getMessage()), spec);
        spec.commandLine().getErr().println("penjing: " + message);
        spec.commandLine().getErr().flush();
        return RankProcesses.LOST;
    }

    private static void together(RankPlace place, StopSignal stop, Work work) {
        if (System.getenv(RankProcesses.STARTED) != null) {
            Thread.ofPlatform()
                    .daemon()
                    .name("waits for the starter's end")
                    .start(RankOptions::endWithStarter);
        }
        try (GlooRanks all = GlooRanks.join(place, RankLimits.DEFAULT, stop::requested)) {
            try {
                work.train(all, place.localWorldSize());
            } catch (Stopped | RankLost e) {
                throw e; // the others know
            } catch (RuntimeException e) {
                all.fail(String.valueOf(e.getMessage()));
                throw e;
            }
        }
    }

    private static void endWithStarter() {
        try {
            while (System.in.read() >= 0) {
                // nobody writes
            }
        } catch (IOException e) {
            // as at its end
        }
        Runtime.getRuntime().halt(RankProcesses.LOST);
    }

    private int start(CommandSpec spec, LocalRanks local) {
        List<String> arguments = arguments(spec);
        return new RankProcesses(
                        local,
                        attempt -> command(arguments, attempt > 0),
                        System.out::println,
                        System.err::println)
                .run(restarts);
    }

    /// Those of this command, without what is for the starter alone.
    private static List<String> arguments(CommandSpec spec) {
        List<String> arguments = new ArrayList<>();
        List<String> given = spec.commandLine().getParseResult().originalArgs();
        for (int i = 0; i < given.size(); i++) {
            String argument = given.get(i);
            if (argument.equals("--ranks") || argument.equals("--restarts")) {
                i++;
            } else if (!argument.startsWith("--ranks=") && !argument.startsWith("--restarts=")) {
                arguments.add(argument);
            }
        }
        return arguments;
    }

    private static List<String> command(List<String> arguments, boolean resume) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(arguments);
        if (resume && !arguments.contains("--resume")) {
            command.add("--resume");
        }
        return command;
    }
}
