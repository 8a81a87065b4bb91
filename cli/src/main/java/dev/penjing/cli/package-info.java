/// Penjing's command line: one class a command, which maps options to the settings of the rooms
/// below and their results and errors to lines. Start with [Main]; `OptionNames` maps the fields
/// that errors of other rooms name to options.
@NullMarked
package dev.penjing.cli;

import org.jspecify.annotations.NullMarked;
