/// The pages that a browser sees: the playground and the interface's documentation. `Pages` serves
/// their files and tells the playground what it needs to know of the models.
@NullMarked
package dev.penjing.server.web;

import org.jspecify.annotations.NullMarked;
