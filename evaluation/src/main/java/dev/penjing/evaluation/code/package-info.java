/// Runs Python programs that nobody has read, in processes of their own. Start with `CodeRunner`;
/// `Sandbox` is the one there is, and `Child` its end of the line to such a process.
@NullMarked
package dev.penjing.evaluation.code;

import org.jspecify.annotations.NullMarked;
