package dev.penjing.model;

/// What was asked for cannot be: a shape, an option or a combination of them that makes no sense. A
/// command ends with status 2.
public final class UsageException extends PenjingException {
    private static final long serialVersionUID = 1L;

    public UsageException(String message) {
        super(message);
    }
}
