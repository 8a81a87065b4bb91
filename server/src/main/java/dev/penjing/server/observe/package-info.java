/// What the server says about itself: metrics, log lines, traces.
@NullMarked
package dev.penjing.server.observe;

import org.jspecify.annotations.NullMarked;
