/// Text for training: files as documents ([Corpus]), documents as token ids in a mapped file
/// ([TokenFile]), and token ids as training sequences in a seeded order ([Sequences]).
@NullMarked
package dev.penjing.compression.data;

import org.jspecify.annotations.NullMarked;
