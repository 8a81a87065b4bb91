package dev.penjing.model.template;

import dev.penjing.model.template.Expression.Arguments;
import java.util.List;
import java.util.Optional;

/// What writes text, or changes what comes after it.
sealed interface Statement {
    record Text(String text) implements Statement {}

    record Output(Expression value, int line) implements Statement {}

    record If(List<Expression> conditions, List<List<Statement>> bodies, int line)
            implements Statement {}

    /// @param targets one name, or several that a sequence is unpacked into
    record For(
            List<String> targets,
            Expression items,
            Optional<Expression> condition,
            List<Statement> body,
            List<Statement> otherwise,
            int line)
            implements Statement {}

    /// @param attribute of a namespace, where one is set
    record Assign(List<String> targets, Optional<String> attribute, Expression value, int line)
            implements Statement {}

    record AssignBlock(String target, List<Statement> body, List<Filtering> filters, int line)
            implements Statement {}

    record Filtering(String name, Arguments arguments) {}

    record Macro(
            String name,
            List<String> parameters,
            List<Expression> defaults,
            List<Statement> body,
            int line)
            implements Statement {}

    record CallBlock(Expression call, Macro body, int line) implements Statement {}

    record FilterBlock(List<Filtering> filters, List<Statement> body, int line)
            implements Statement {}

    /// A body in a scope of its own.
    record With(List<String> names, List<Expression> values, List<Statement> body, int line)
            implements Statement {}

    record Break() implements Statement {}

    record Continue() implements Statement {}
}
