/// Which parts of a teacher to keep ([Cut]), and the student's tensors made of them one at a time
/// ([Pruner]). Start with [Pruner]: it walks the tensors by their axes and names none of them.
@NullMarked
package dev.penjing.compression.pruning;

import org.jspecify.annotations.NullMarked;
