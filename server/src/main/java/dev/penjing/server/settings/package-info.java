/// What `serve` may be told, by command line, environment or file, and what it was told.
/// `KnownSettings` lists every setting, and `Settings` resolves their values. `Exposure` is the rule
/// for what may listen beyond this machine.
@NullMarked
package dev.penjing.server.settings;

import org.jspecify.annotations.NullMarked;
