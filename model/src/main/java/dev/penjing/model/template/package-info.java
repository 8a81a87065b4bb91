/// Chat templates: the part of Jinja that models bring along, with Python's values and methods, as
/// transformers sets it up. Start with `ChatTemplate`; `Lexer`, `Parser` and `TemplateInterpreter`
/// follow one another.
@NullMarked
package dev.penjing.model.template;

import org.jspecify.annotations.NullMarked;
