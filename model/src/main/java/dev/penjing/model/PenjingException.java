package dev.penjing.model;

/// Something that went wrong and that the person at the keyboard can mend.
///
/// The message is one line that says what is wrong and what to do about it; a command prints it as
/// it is and ends with status 1. Whatever is not a `PenjingException` is a defect of ours.
public class PenjingException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public PenjingException(String message) {
        super(message);
    }

    public PenjingException(String message, Throwable cause) {
        super(message, cause);
    }
}
