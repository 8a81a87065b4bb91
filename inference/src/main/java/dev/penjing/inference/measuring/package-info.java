/// Tools that measure an engine: [dev.penjing.inference.measuring.SpeedTest] its tokens a second,
/// [dev.penjing.inference.measuring.Perplexity] what it makes of a text.
@NullMarked
package dev.penjing.inference.measuring;

import org.jspecify.annotations.NullMarked;
