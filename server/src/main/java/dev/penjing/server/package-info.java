/// The microservice: OpenAI's and NIM's endpoints over engines in this process, metrics, and the
/// playground. Start at `PenjingServer`, which wires the routes together; `ServerOptions` says how it
/// runs, and `Startup` makes the options from settings.
@NullMarked
package dev.penjing.server;

import org.jspecify.annotations.NullMarked;
