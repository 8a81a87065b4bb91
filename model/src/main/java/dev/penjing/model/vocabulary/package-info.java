/// A vocabulary cut down to what a text needs: which tokens go first (`RemovalOrder`), and the
/// files of a folder that name tokens by their ids (`Companions`). Start with `Vocabulary`.
@NullMarked
package dev.penjing.model.vocabulary;

import org.jspecify.annotations.NullMarked;
