package dev.penjing.model.template;

/// What a name that nobody set stands for: false, empty, printed as nothing.
///
/// @param what it was, for errors
record Undefined(String what) {}
