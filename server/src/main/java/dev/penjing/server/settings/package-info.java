/// What `serve` may be told, from where, and what it was told.
@NullMarked
package dev.penjing.server.settings;

import org.jspecify.annotations.NullMarked;
