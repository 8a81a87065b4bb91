package dev.penjing.cli.fallen.server;

import dev.penjing.cli.fallen.inference.kernel.Kernel;
import dev.penjing.cli.fallen.model.Climber;
import java.net.http.HttpClient;
import java.util.List;
import org.bytedeco.javacpp.Pointer;

/// Knows the inside of another room, libtorch's memory and HTTP's client.
public record Server(
        List<Climber> circle, Climber below, Kernel inside, Pointer memory, HttpClient client) {}
