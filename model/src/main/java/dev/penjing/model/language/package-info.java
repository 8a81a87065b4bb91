/// What a language model can do, whatever computes it: score texts and continue them. Start with
/// `LanguageModel`.
@NullMarked
package dev.penjing.model.language;

import org.jspecify.annotations.NullMarked;
