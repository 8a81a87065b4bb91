/// The models that are served, who may use them when, and answers in the making.
@NullMarked
package dev.penjing.server.models;

import org.jspecify.annotations.NullMarked;
