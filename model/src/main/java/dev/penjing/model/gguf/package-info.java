/// GGUF files, the form that llama.cpp runs: read memory-mapped, their quantised blocks turned back
/// into float32, and models converted from and to Hugging Face form. Start with `GgufFile`, then
/// `GgufImport` and `GgufExport`.
@NullMarked
package dev.penjing.model.gguf;

import org.jspecify.annotations.NullMarked;
