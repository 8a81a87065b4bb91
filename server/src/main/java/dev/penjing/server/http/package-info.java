/// Connections and requests as the server sees them: limits, errors, streams of events.
@NullMarked
package dev.penjing.server.http;

import org.jspecify.annotations.NullMarked;
