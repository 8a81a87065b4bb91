/// Answers held to a form: JSON, or a JSON Schema.
@NullMarked
package dev.penjing.inference.constraint;

import org.jspecify.annotations.NullMarked;
