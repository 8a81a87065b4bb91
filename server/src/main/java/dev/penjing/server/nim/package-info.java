/// What NIM adds for those who run a service: health, metadata, manifest, version and licence.
/// `Health` answers the probes of an orchestrator, and `Management` all else.
@NullMarked
package dev.penjing.server.nim;

import org.jspecify.annotations.NullMarked;
