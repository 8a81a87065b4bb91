package dev.penjing.cli;

import dev.penjing.evaluation.code.CodeRunner;
import dev.penjing.evaluation.code.Sandbox;
import dev.penjing.evaluation.code.SandboxLimits;
import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// The sandbox for a model's Python programs, found when the first program is to be run. In a
/// source tree the launcher builds it then, if it was not built since its sources changed: it is
/// large, and most measurements run no program.
final class SandboxRunner implements AutoCloseable {
    private final Installation installation;
    private final SandboxLimits limits;
    private Optional<CodeRunner> started = Optional.empty();

    /// @param threads programs side by side at most; 0 for as many as there are processors
    SandboxRunner(Installation installation, int threads) {
        this.installation = installation;
        this.limits = SandboxLimits.DEFAULT.withThreads(threads);
    }

    /// @throws PenjingException if there is no sandbox, and none can be built
    synchronized CodeRunner get() {
        if (started.isEmpty()) {
            if (installation.buildsItself()) {
                build();
            }
            Installation.SandboxFiles files = installation.sandbox();
            started = Optional.of(new Sandbox(files.classPath(), files.library(), limits));
        }
        return started.get();
    }

    private void build() {
        String launcher = installation.launcher().toString();
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(launcher, "sandbox").redirectErrorStream(true);
            // the launcher starts other programs than this by these
            builder.environment().keySet().removeAll(List.of("PENJING_ROOM", "PENJING_MAIN"));
            Process process = builder.start();
            process.getOutputStream().close();
            // on standard error, since results alone go to standard output
            try (var said = process.inputReader()) {
                said.lines().forEach(System.err::println);
            }
            if (process.waitFor() != 0) {
                throw new PenjingException(
                        "the sandbox for Python programs cannot be built: see what '%s sandbox' says"
                                .formatted(launcher));
            }
        } catch (IOException e) {
            throw new PenjingException("cannot start " + launcher + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("interrupted while the sandbox was built", e);
        }
    }

    @Override
    public synchronized void close() {
        started.ifPresent(CodeRunner::close);
    }
}
