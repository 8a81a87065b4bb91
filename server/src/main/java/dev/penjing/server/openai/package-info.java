/// OpenAI's interface: chat, completions, responses, models.
@NullMarked
package dev.penjing.server.openai;

import org.jspecify.annotations.NullMarked;
