/// Pages: the playground and the interface's documentation.
@NullMarked
package dev.penjing.server.web;

import org.jspecify.annotations.NullMarked;
