/// HTTP as the server sees it, on top of Helidon: requests and their answers (`Exchange`), streams of
/// server-sent events, JSON bodies, errors, keys, TLS, and the deadlines of clients. It knows nothing
/// of models. Start at `Exchange` and `Router`.
@NullMarked
package dev.penjing.server.http;

import org.jspecify.annotations.NullMarked;
