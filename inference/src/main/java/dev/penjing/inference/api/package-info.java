/// What a caller gives to an engine and is told by it: a request with its sampling settings goes
/// in, tokens and their log-probabilities come back to a listener, and a finish says how the answer
/// ended. Start with [dev.penjing.inference.api.Request] and [dev.penjing.inference.api.Listener];
/// `dev.penjing.inference.Engine` takes both.
@NullMarked
package dev.penjing.inference.api;

import org.jspecify.annotations.NullMarked;
