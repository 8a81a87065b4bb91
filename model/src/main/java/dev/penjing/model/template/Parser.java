package dev.penjing.model.template;

import dev.penjing.model.template.Lexer.Kind;
import dev.penjing.model.template.Lexer.Token;
import dev.penjing.model.template.Statement.Filtering;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Tokens to statements. Expressions are [ExpressionParser]'s.
final class Parser {
    private static final int DEEPEST = 100;

    private final Tokens tokens;
    private final ExpressionParser expressions;
    private int depth;

    private Parser(List<Token> all) {
        tokens = new Tokens(all);
        expressions = new ExpressionParser(tokens);
    }

    static List<Statement> parse(String source) {
        Parser parser = new Parser(Lexer.tokens(source));
        List<Statement> statements = parser.body(Set.of());
        return statements;
    }

    /// Statements up to a tag named in `ends`, whose name is left as the next token.
    private List<Statement> body(Set<String> ends) {
        if (++depth > DEEPEST) {
            throw tokens.error("tags are nested too deep");
        }
        List<Statement> statements = new ArrayList<>();
        while (true) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> statements.add(new Statement.Text(token.text()));
                case OUTPUT_START -> {
                    Expression value = expressions.tuple();
                    tokens.expect(Kind.OUTPUT_END);
                    statements.add(new Statement.Output(value, token.line()));
                }
                case BLOCK_START -> {
                    if (ends.contains(tokens.peek().text())) {
                        depth--;
                        return statements;
                    }
                    statement(token.line(), statements);
                }
                default -> {
                    if (!ends.isEmpty()) {
                        throw tokens.error(
                                "a tag is not closed: expected " + String.join(" or ", ends));
                    }
                    depth--;
                    return statements;
                }
            }
        }
    }

    private void statement(int line, List<Statement> to) {
        String name = tokens.name();
        switch (name) {
            case "if" -> to.add(conditional(line));
            case "for" -> to.add(loop(line));
            case "set" -> to.add(assign(line));
            case "macro" -> to.add(macro(line));
            case "call" -> to.add(call(line));
            case "filter" -> to.add(filter(line));
            case "with" -> to.add(with(line));
            case "generation" -> {
                // marks what the assistant said, for training: writes it as it is
                end();
                to.addAll(bodyAndEnd("endgeneration"));
            }
            case "break" -> {
                end();
                to.add(new Statement.Break());
            }
            case "continue" -> {
                end();
                to.add(new Statement.Continue());
            }
            default -> throw tokens.error("the tag '" + name + "' is not known here");
        }
    }

    private void end() {
        tokens.expect(Kind.BLOCK_END);
    }

    private List<Statement> bodyAndEnd(String end) {
        List<Statement> body = body(Set.of(end));
        tokens.name();
        end();
        return body;
    }

    private Statement conditional(int line) {
        List<Expression> conditions = new ArrayList<>();
        List<List<Statement>> bodies = new ArrayList<>();
        String tag = "if";
        while (!tag.equals("endif")) {
            if (!tag.equals("else")) {
                conditions.add(expressions.tuple());
            }
            end();
            bodies.add(
                    body(tag.equals("else") ? Set.of("endif") : Set.of("elif", "else", "endif")));
            tag = tokens.name();
        }
        end();
        return new Statement.If(conditions, bodies, line);
    }

    private List<String> targets() {
        boolean brackets = tokens.skip("(");
        List<String> targets = new ArrayList<>();
        do {
            targets.add(tokens.name());
        } while (tokens.skip(",") && tokens.peek().kind() == Kind.NAME);
        if (brackets) {
            tokens.expect(")");
        }
        return targets;
    }

    private Statement loop(int line) {
        List<String> targets = targets();
        tokens.expectName("in");
        Expression items = expressions.tupleWithoutCondition();
        Optional<Expression> condition = Optional.empty();
        if (tokens.skipName("if")) {
            condition = Optional.of(expressions.expression());
        }
        if (tokens.skipName("recursive")) {
            throw tokens.error("recursive loops are not known here");
        }
        end();
        List<Statement> body = body(Set.of("else", "endfor"));
        List<Statement> otherwise = List.of();
        if (tokens.name().equals("else")) {
            end();
            otherwise = body(Set.of("endfor"));
            tokens.name();
        }
        end();
        return new Statement.For(targets, items, condition, body, otherwise, line);
    }

    private Statement assign(int line) {
        List<String> targets = targets();
        Optional<String> attribute = Optional.empty();
        if (targets.size() == 1 && tokens.skip(".")) {
            attribute = Optional.of(tokens.name());
        }
        if (tokens.skip("=")) {
            Expression value = expressions.tuple();
            end();
            return new Statement.Assign(targets, attribute, value, line);
        }
        List<Filtering> filters = filters(false);
        end();
        List<Statement> body = bodyAndEnd("endset");
        if (targets.size() != 1 || attribute.isPresent()) {
            throw tokens.error("a set block has one plain name");
        }
        return new Statement.AssignBlock(targets.getFirst(), body, filters, line);
    }

    /// `| a | b(c)`; the first bar is left out in a filter block.
    private List<Filtering> filters(boolean withoutFirstBar) {
        List<Filtering> filters = new ArrayList<>();
        while (withoutFirstBar && filters.isEmpty() || tokens.skip("|")) {
            String name = tokens.name();
            filters.add(
                    new Filtering(
                            name,
                            tokens.peekIs("(")
                                    ? expressions.arguments()
                                    : Expression.Arguments.NONE));
        }
        return filters;
    }

    private Statement.Macro macro(int line) {
        String name = tokens.name();
        return macro(name, "endmacro", line);
    }

    private Statement.Macro macro(String name, String endTag, int line) {
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        if (tokens.skip("(")) {
            while (!tokens.skip(")")) {
                parameters.add(tokens.name());
                if (tokens.skip("=")) {
                    defaults.add(expressions.expression());
                } else if (!defaults.isEmpty()) {
                    throw tokens.error("a parameter without default behind one with");
                }
                if (!tokens.peekIs(")")) {
                    tokens.expect(",");
                }
            }
        }
        if (endTag.equals("endcall")) {
            return new Statement.Macro(name, parameters, defaults, List.of(), line);
        }
        end();
        return new Statement.Macro(name, parameters, defaults, bodyAndEnd(endTag), line);
    }

    private Statement call(int line) {
        Statement.Macro head = macro("caller", "endcall", line);
        Expression call = expressions.expression();
        end();
        List<Statement> body = bodyAndEnd("endcall");
        return new Statement.CallBlock(
                call,
                new Statement.Macro("caller", head.parameters(), head.defaults(), body, line),
                line);
    }

    private Statement filter(int line) {
        List<Filtering> filters = filters(true);
        end();
        return new Statement.FilterBlock(filters, bodyAndEnd("endfilter"), line);
    }

    private Statement with(int line) {
        List<String> names = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (tokens.peek().kind() != Kind.BLOCK_END) {
            names.add(tokens.name());
            tokens.expect("=");
            values.add(expressions.expression());
            tokens.skip(",");
        }
        end();
        return new Statement.With(names, values, bodyAndEnd("endwith"), line);
    }

    /// Tokens, one after the other.
    static final class Tokens {
        private final List<Token> all;
        private int at;

        Tokens(List<Token> all) {
            this.all = all;
        }

        Token peek() {
            return all.get(Math.min(at, all.size() - 1));
        }

        Token next() {
            Token token = peek();
            at++;
            return token;
        }

        boolean peekIs(String operator) {
            return peek().kind() == Kind.OPERATOR && peek().text().equals(operator);
        }

        boolean peekIsName(String... names) {
            return peek().kind() == Kind.NAME && Arrays.asList(names).contains(peek().text());
        }

        boolean skip(String operator) {
            boolean there = peekIs(operator);
            at += there ? 1 : 0;
            return there;
        }

        boolean skipName(String name) {
            boolean there = peekIsName(name);
            at += there ? 1 : 0;
            return there;
        }

        String name() {
            return expect(Kind.NAME).text();
        }

        Token expect(Kind kind) {
            if (peek().kind() != kind) {
                throw error("expected " + kind + ", found " + said());
            }
            return next();
        }

        void expect(String operator) {
            if (!skip(operator)) {
                throw error("expected '" + operator + "', found " + said());
            }
        }

        void expectName(String name) {
            if (!skipName(name)) {
                throw error("expected '" + name + "', found " + said());
            }
        }

        private String said() {
            return peek().text().isEmpty() ? peek().kind().toString() : "'" + peek().text() + "'";
        }

        TemplateException error(String message) {
            return new TemplateException(message).at(peek().line());
        }
    }
}
