/// What NIM adds for those who run a service: health, metadata, manifest, version, licence.
@NullMarked
package dev.penjing.server.nim;

import org.jspecify.annotations.NullMarked;
