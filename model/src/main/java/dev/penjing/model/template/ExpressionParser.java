package dev.penjing.model.template;

import dev.penjing.model.template.Expression.Arguments;
import dev.penjing.model.template.Lexer.Kind;
import dev.penjing.model.template.Lexer.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Expressions, with Jinja's precedence: conditional, or, and, not, comparisons, + and -, ~, * / //
/// and %, power, signs, and what follows a value.
final class ExpressionParser {
    private static final int DEEPEST = 200;
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final Parser.Tokens tokens;
    private int depth;

    ExpressionParser(Parser.Tokens tokens) {
        this.tokens = tokens;
    }

    /// `a`, or `a, b` as a list.
    Expression tuple() {
        return tuple(true);
    }

    /// Without `if`, which belongs to the loop.
    Expression tupleWithoutCondition() {
        return tuple(false);
    }

    private Expression tuple(boolean conditions) {
        Expression first = conditions ? expression() : or();
        if (!tokens.peekIs(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (tokens.skip(",") && startsValue()) {
            items.add(conditions ? expression() : or());
        }
        return new Expression.ListOf(items);
    }

    private boolean startsValue() {
        Kind kind = tokens.peek().kind();
        return kind != Kind.BLOCK_END
                && kind != Kind.OUTPUT_END
                && !tokens.peekIs(")")
                && !tokens.peekIs("=");
    }

    Expression expression() {
        if (++depth > DEEPEST) {
            throw tokens.error("an expression is nested too deep");
        }
        Expression value = or();
        while (tokens.skipName("if")) {
            Expression condition = or();
            Optional<Expression> otherwise =
                    tokens.skipName("else") ? Optional.of(expression()) : Optional.empty();
            value = new Expression.Conditional(value, condition, otherwise);
        }
        depth--;
        return value;
    }

    private Expression or() {
        Expression left = and();
        while (tokens.skipName("or")) {
            left = new Expression.Binary("or", left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.skipName("and")) {
            left = new Expression.Binary("and", left, not());
        }
        return left;
    }

    private Expression not() {
        if (tokens.skipName("not")) {
            if (++depth > DEEPEST) {
                throw tokens.error("an expression is nested too deep");
            }
            Expression of = not();
            depth--;
            return new Expression.Unary("not", of);
        }
        return comparison();
    }

    private Expression comparison() {
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> rest = new ArrayList<>();
        while (true) {
            Token token = tokens.peek();
            if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                tokens.next();
                operators.add(token.text());
            } else if (tokens.skipName("in")) {
                operators.add("in");
            } else if (tokens.peekIsName("not")) {
                tokens.next();
                tokens.expectName("in");
                operators.add("not in");
            } else {
                break;
            }
            rest.add(sum());
        }
        return operators.isEmpty() ? first : new Expression.Comparison(first, operators, rest);
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.peekIs("+") || tokens.peekIs("-")) {
            left = new Expression.Binary(tokens.next().text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Expression left = product();
        while (tokens.skip("~")) {
            left = new Expression.Binary("~", left, product());
        }
        return left;
    }

    private Expression product() {
        Expression left = power();
        while (tokens.peekIs("*")
                || tokens.peekIs("/")
                || tokens.peekIs("//")
                || tokens.peekIs("%")) {
            left = new Expression.Binary(tokens.next().text(), left, power());
        }
        return left;
    }

    private Expression power() {
        Expression left = signed(true);
        while (tokens.skip("**")) {
            left = new Expression.Binary("**", left, signed(true));
        }
        return left;
    }

    private Expression signed(boolean filters) {
        Expression value;
        if (tokens.peekIs("-") || tokens.peekIs("+")) {
            if (++depth > DEEPEST) {
                throw tokens.error("an expression is nested too deep");
            }
            value = new Expression.Unary(tokens.next().text(), signed(false));
            depth--;
        } else {
            value = postfix(primary());
        }
        return filters ? filtered(value) : value;
    }

    private Expression primary() {
        Token token = tokens.next();
        switch (token.kind()) {
            case NAME -> {
                return switch (token.text()) {
                    case "true", "True" -> new Expression.Literal(true);
                    case "false", "False" -> new Expression.Literal(false);
                    case "none", "None" -> new Expression.Literal(None.NONE);
                    default -> new Expression.Name(token.text());
                };
            }
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (tokens.peek().kind() == Kind.STRING) {
                    text.append(tokens.next().text());
                }
                return new Expression.Literal(text.toString());
            }
            case INTEGER -> {
                try {
                    return new Expression.Literal(Long.parseLong(token.text()));
                } catch (NumberFormatException e) {
                    throw tokens.error(token.text() + " is too large a number");
                }
            }
            case FLOAT -> {
                return new Expression.Literal(Double.parseDouble(token.text()));
            }
            default -> {
                return bracket(token);
            }
        }
    }

    private Expression bracket(Token token) {
        switch (token.text()) {
            case "(" -> {
                if (tokens.skip(")")) {
                    return new Expression.ListOf(List.of());
                }
                Expression inner = tuple();
                tokens.expect(")");
                return inner;
            }
            case "[" -> {
                List<Expression> items = new ArrayList<>();
                while (!tokens.skip("]")) {
                    items.add(expression());
                    if (!tokens.peekIs("]")) {
                        tokens.expect(",");
                    }
                }
                return new Expression.ListOf(items);
            }
            case "{" -> {
                List<Expression> keys = new ArrayList<>();
                List<Expression> values = new ArrayList<>();
                while (!tokens.skip("}")) {
                    keys.add(expression());
                    tokens.expect(":");
                    values.add(expression());
                    if (!tokens.peekIs("}")) {
                        tokens.expect(",");
                    }
                }
                return new Expression.DictOf(keys, values);
            }
            default ->
                    throw new TemplateException("unexpected '" + token.text() + "'")
                            .at(token.line());
        }
    }

    private Expression postfix(Expression of) {
        Expression value = of;
        while (true) {
            if (tokens.skip(".")) {
                Token token = tokens.next();
                value =
                        switch (token.kind()) {
                            case NAME -> new Expression.Attribute(value, token.text());
                            case INTEGER ->
                                    new Expression.Item(
                                            value,
                                            new Expression.Literal(Long.parseLong(token.text())));
                            default -> throw tokens.error("expected a name behind '.'");
                        };
            } else if (tokens.skip("[")) {
                value = subscript(value);
            } else if (tokens.peekIs("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression of) {
        List<Optional<Expression>> parts = new ArrayList<>();
        boolean slice = false;
        Optional<Expression> part = Optional.empty();
        while (!tokens.skip("]")) {
            if (tokens.skip(":")) {
                slice = true;
                parts.add(part);
                part = Optional.empty();
            } else {
                part = Optional.of(expression());
            }
        }
        parts.add(part);
        if (!slice) {
            return new Expression.Item(
                    of, part.orElseThrow(() -> tokens.error("expected an index in []")));
        }
        if (parts.size() > 3) {
            throw tokens.error("a slice has at most three parts");
        }
        return new Expression.Slice(
                of, parts.get(0), parts.get(1), parts.size() > 2 ? parts.get(2) : Optional.empty());
    }

    Arguments arguments() {
        tokens.expect("(");
        List<Expression> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Expression> named = new ArrayList<>();
        while (!tokens.skip(")")) {
            Expression value = expression();
            if (value instanceof Expression.Name(String name) && tokens.skip("=")) {
                names.add(name);
                named.add(expression());
            } else {
                positional.add(value);
            }
            if (!tokens.peekIs(")")) {
                tokens.expect(",");
            }
        }
        return new Arguments(positional, names, named);
    }

    private Expression filtered(Expression of) {
        Expression value = of;
        while (true) {
            if (tokens.skip("|")) {
                StringBuilder name = new StringBuilder(tokens.name());
                while (tokens.skip(".")) {
                    name.append('.').append(tokens.name());
                }
                Arguments arguments = tokens.peekIs("(") ? arguments() : Arguments.NONE;
                value = new Expression.Filter(value, name.toString(), arguments);
            } else if (tokens.skipName("is")) {
                value = test(value);
            } else if (tokens.peekIs("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression test(Expression of) {
        boolean negated = tokens.skipName("not");
        String name = tokens.name();
        Arguments arguments = Arguments.NONE;
        if (tokens.peekIs("(")) {
            arguments = arguments();
        } else if (startsArgument()) {
            arguments = new Arguments(List.of(postfix(primary())), List.of(), List.of());
        }
        return new Expression.Test(of, name, arguments, negated);
    }

    private boolean startsArgument() {
        return switch (tokens.peek().kind()) {
            case NAME -> !tokens.peekIsName("else", "or", "and", "is", "if", "in", "not");
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> tokens.peekIs("[") || tokens.peekIs("{");
            default -> false;
        };
    }
}
