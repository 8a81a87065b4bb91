/// Byte-pair encoding tokenizers as `tokenizer.json` and GGUF describe them, with the same ids as
/// Hugging Face tokenizers, and a trainer for new ones. Start with `Tokenizers`, which makes a
/// `Tokenizer` from a file; `BpeTokenizer` does the work.
@NullMarked
package dev.penjing.model.tokenizer;

import org.jspecify.annotations.NullMarked;
