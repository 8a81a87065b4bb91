/// The models that are served: their loading (`ServedModels`), the bounded queue before them
/// (`Admission`), and the answers that their engines make (`AnswerService`).
@NullMarked
package dev.penjing.server.models;

import org.jspecify.annotations.NullMarked;
