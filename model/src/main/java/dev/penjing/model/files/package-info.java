/// Files and folders of any content: written so that readers meet only whole files, hashed,
/// removed; and which files make up a model. Start at [dev.penjing.model.files.AtomicFile].
@org.jspecify.annotations.NullMarked
package dev.penjing.model.files;
