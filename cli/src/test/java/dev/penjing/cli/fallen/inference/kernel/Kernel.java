package dev.penjing.cli.fallen.inference.kernel;

/// The inside of a room.
public record Kernel(int lanes) {}
