package dev.penjing.model.template;

/// Python's None.
enum None {
    NONE
}
