/// The microservice: OpenAI's and NIM's endpoints over the engine, metrics, the playground.
@NullMarked
package dev.penjing.server;

import org.jspecify.annotations.NullMarked;
