/// Chat templates: the part of Jinja that models bring along, as transformers sets it up.
@NullMarked
package dev.penjing.model.template;

import org.jspecify.annotations.NullMarked;
