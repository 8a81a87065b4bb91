package dev.penjing.server.observe;

import dev.penjing.model.PenjingException;
import dev.penjing.server.settings.Settings;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Asks a server on this machine whether it is ready, for containers that hold no curl: exit status
/// 0 if so. Where it is, it learns from the variables that the server itself reads.
public final class HealthProbe {
    private static final int MILLIS = 3000;

    private HealthProbe() {}

    public static void main(String[] args) {
        String trouble;
        try {
            trouble = trouble(System.getenv()).orElse("");
        } catch (PenjingException e) {
            trouble = String.valueOf(e.getMessage());
        }
        if (!trouble.isEmpty()) {
            System.err.println("penjing: " + trouble);
            System.exit(1);
        }
    }

    /// Why the server is not ready; empty if it is.
    static Optional<String> trouble(Map<String, String> environment) {
        Settings settings = Settings.resolve(Map.of(), environment, Optional.empty());
        OptionalInt health = settings.optionalInteger("health-port");
        if (health.isEmpty() && !settings.text("ssl-mode").equals("off")) {
            return Optional.of("a server with TLS is asked on a port without: set NIM_HEALTH_PORT");
        }
        int port = health.orElse(settings.integer("port"));
        URI uri = URI.create("http://127.0.0.1:" + port + "/v1/health/ready");
        try {
            HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
            connection.setConnectTimeout(MILLIS);
            connection.setReadTimeout(MILLIS);
            connection.setInstanceFollowRedirects(false);
            int status = connection.getResponseCode();
            connection.disconnect();
            return status == 200 ? Optional.empty() : Optional.of(uri + " says " + status);
        } catch (IOException e) {
            return Optional.of(uri + " does not answer");
        }
    }
}
