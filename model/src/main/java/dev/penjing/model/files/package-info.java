/// Files that are whole or not there, hashed, and removed with their folders. Start with
/// `AtomicFile`, through which everything that Penjing leaves on a disk is written.
@NullMarked
package dev.penjing.model.files;

import org.jspecify.annotations.NullMarked;
