/// What every part of the house shares and depends on nothing else of it: the exceptions whose
/// messages users read, and `Progress`. What a model is made of lies in the packages beneath; start
/// with `architecture` and `language`.
@NullMarked
package dev.penjing.model;

import org.jspecify.annotations.NullMarked;
