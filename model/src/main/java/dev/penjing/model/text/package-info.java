/// What begins and ends a model's texts: its special tokens, the ids that end an answer, the token
/// that closes a document of training data, and its chat template. Start at
/// [dev.penjing.model.text.TextConventions], which reads them from a folder in Hugging Face form or
/// from the metadata of a GGUF file.
@org.jspecify.annotations.NullMarked
package dev.penjing.model.text;
