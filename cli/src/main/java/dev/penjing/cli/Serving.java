package dev.penjing.cli;

import dev.penjing.model.PenjingException;
import dev.penjing.server.PenjingServer;
import dev.penjing.server.ServerOptions;
import dev.penjing.server.Startup;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import dev.penjing.server.observe.Log;
import dev.penjing.server.settings.Settings;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/// A server that runs until the process is told to end.
final class Serving {
    private Serving() {}

    /// Listens at once, loads the models, and serves them until the process gets SIGTERM or SIGINT;
    /// then what is being answered may finish.
    ///
    /// @param examples of what to ask, for the playground
    /// @param ready is told the server's address when the models are loaded
    static void untilEnded(
            List<ServedModel> all,
            Settings settings,
            List<String> examples,
            ConsoleProgress progress,
            Consumer<String> ready)
            throws InterruptedException {
        Log log = Log.of(settings, System.err);
        log.takeOver();
        ServerOptions options = Startup.server(settings, log, examples);
        ServedModels models =
                new ServedModels(
                        all,
                        Startup.admission(settings),
                        progress,
                        (line, failure) -> {
                            progress.finish();
                            failure.ifPresentOrElse(
                                    why -> log.error(line, why), () -> log.info(line));
                        });
        PenjingServer server;
        try {
            server = PenjingServer.start(options, models);
        } catch (RuntimeException e) {
            models.close();
            throw e;
        }
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(() -> {
                            log.info("ending: what is being answered may finish");
                            server.close();
                            closed.countDown();
                        }));
        log.info(
                String.format(
                        Locale.ROOT,
                        "listening at %s, %.1f s after Java started",
                        server.address(),
                        ManagementFactory.getRuntimeMXBean().getUptime() / 1e3));
        models.awaitLoaded();
        progress.finish();
        if (all.stream().allMatch(m -> m.state() == ServedModel.State.FAILED)) {
            server.close();
            throw new PenjingException(all.getFirst().message());
        }
        if (models.ready()) {
            log.info("ready: open %s in a browser".formatted(server.address()));
            ready.accept(server.address());
        }
        closed.await();
    }
}
