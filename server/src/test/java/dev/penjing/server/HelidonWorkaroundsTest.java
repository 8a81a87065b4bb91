package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.helidon.webserver.WebServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The server works around what Helidon does in one version. Each place names that version. Whoever
/// moves to another reads each place again, takes out what is no longer needed, and writes the new
/// version there.
class HelidonWorkaroundsTest {
    private static final Path SOURCES = Path.of("src/main/java/dev/penjing/server");

    private static final Set<String> WORKAROUNDS =
            Set.of(
                    // TLS without NIO forgets the protocols and the clients' certificates
                    "http/TlsContextSpi.java",
                    // a client that leaves is not noticed, or a silent one is taken for gone
                    "http/ReadAheadConnection.java",
                    // there are no deadlines for headers and bodies
                    "http/Connections.java",
                    // a stream's end is written after its handler
                    "http/Exchange.java",
                    // a stack trace is logged for every request that is no HTTP
                    "MalformedHttp.java",
                    // ports are shared, and connections stay open after "Connection: close"
                    "PenjingServer.java");

    @Test
    void areReadAgainWithEachVersion() throws IOException {
        String version = WebServer.class.getPackage().getImplementationVersion();
        assertThat(version).isNotEmpty();
        Pattern named = Pattern.compile("Helidon (\\d+\\.\\d+\\.\\d+)");
        Set<String> places = new TreeSet<>();
        try (Stream<Path> files = Files.walk(SOURCES)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String place = SOURCES.relativize(file).toString().replace('\\', '/');
                named.matcher(Files.readString(file))
                        .results()
                        .forEach(found -> {
                            places.add(place);
                            assertThat(found.group(1))
                                    .as(
                                            "%s works around Helidon %s, which is now %s: read it again",
                                            place, found.group(1), version)
                                    .isEqualTo(version);
                        });
            }
        }
        assertThat(places).isEqualTo(new TreeSet<>(WORKAROUNDS));
    }
}
