/// OpenAI's interface: chats, completions, responses, models, and vLLM's tokenize and detokenize. The
/// `*Endpoint` classes are the entrances, one for each path. `Service` holds what they share, and
/// `RequestParameters` the fields that say how to sample.
@NullMarked
package dev.penjing.server.openai;

import org.jspecify.annotations.NullMarked;
