package dev.penjing.cli.fallen.model;

import dev.penjing.cli.fallen.server.Server;

/// Knows a room above its own, and is in a circle with it.
public record Climber(Server above) {}
