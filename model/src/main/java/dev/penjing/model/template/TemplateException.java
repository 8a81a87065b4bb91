package dev.penjing.model.template;

import dev.penjing.model.PenjingException;

/// A template that is malformed, asks for what is not known here, or refuses its input.
public final class TemplateException extends PenjingException {
    private static final long serialVersionUID = 1L;

    private final boolean raisedByTemplate;

    TemplateException(String message) {
        this(message, false);
    }

    TemplateException(String message, boolean raisedByTemplate) {
        super(message);
        this.raisedByTemplate = raisedByTemplate;
    }

    TemplateException at(int line) {
        String message = String.valueOf(getMessage());
        return message.startsWith("chat template")
                ? this
                : new TemplateException(
                        "chat template, line " + line + ": " + message, raisedByTemplate);
    }

    /// Whether the template itself said so, by `raise_exception`: the input is at fault.
    public boolean raisedByTemplate() {
        return raisedByTemplate;
    }
}
