/// A client of the Hugging Face Hub: models and data sets fetched with resume, retry policy and
/// verified hashes, into the cache layout that the hub's other clients share. Start with `Hub`.
@NullMarked
package dev.penjing.model.hub;

import org.jspecify.annotations.NullMarked;
