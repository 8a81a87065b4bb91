package dev.penjing.model.template;

import dev.penjing.model.template.Statement.Filtering;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Runs a template once. Text and depth are bounded, and steps by its evaluator.
final class TemplateInterpreter {
    private static final int LONGEST = 1 << 24;
    private static final int DEEPEST = 150;

    private enum Flow {
        ON,
        BREAK,
        CONTINUE
    }

    private StringBuilder out = new StringBuilder();
    private final Evaluator evaluator = new Evaluator();
    private int depth;

    private TemplateInterpreter() {}

    static String run(List<Statement> template, Map<String, Object> variables) {
        TemplateInterpreter interpreter = new TemplateInterpreter();
        Scope scope = new Scope(Optional.empty());
        scope.values.putAll(variables);
        interpreter.run(template, scope);
        return interpreter.out.toString();
    }

    private Flow run(List<Statement> statements, Scope scope) {
        if (++depth > DEEPEST) {
            throw new TemplateException("calls are nested too deep");
        }
        for (Statement statement : statements) {
            evaluator.step();
            Flow flow = run(statement, scope);
            if (flow != Flow.ON) {
                depth--;
                return flow;
            }
        }
        depth--;
        return Flow.ON;
    }

    private void write(String text) {
        if (out.length() + text.length() > LONGEST) {
            throw new TemplateException("the text becomes too long");
        }
        out.append(text);
    }

    private Flow run(Statement statement, Scope scope) {
        return switch (statement) {
            case Statement.Text(String text) -> {
                write(text);
                yield Flow.ON;
            }
            case Statement.Output(Expression value, int line) ->
                    at(
                            line,
                            () -> {
                                write(PythonValues.text(evaluator.evaluate(value, scope)));
                                return Flow.ON;
                            });
            case Statement.If s -> conditional(s, scope);
            case Statement.For s -> at(s.line(), () -> loop(s, scope));
            case Statement.Assign s ->
                    at(
                            s.line(),
                            () -> {
                                assign(s, scope);
                                return Flow.ON;
                            });
            case Statement.AssignBlock s ->
                    at(
                            s.line(),
                            () -> {
                                Object text = captured(s.body(), new Scope(Optional.of(scope)));
                                scope.values.put(s.target(), filtered(text, s.filters(), scope));
                                return Flow.ON;
                            });
            case Statement.Macro s -> {
                scope.values.put(s.name(), macro(s, scope));
                yield Flow.ON;
            }
            case Statement.CallBlock s ->
                    at(
                            s.line(),
                            () -> {
                                Callable body = macro(s.body(), scope);
                                Object text = evaluator.call(s.call(), scope, Optional.of(body));
                                write(PythonValues.text(text));
                                return Flow.ON;
                            });
            case Statement.FilterBlock s ->
                    at(
                            s.line(),
                            () -> {
                                Object text = captured(s.body(), new Scope(Optional.of(scope)));
                                write(PythonValues.text(filtered(text, s.filters(), scope)));
                                return Flow.ON;
                            });
            case Statement.With s ->
                    at(
                            s.line(),
                            () -> {
                                Scope inner = new Scope(Optional.of(scope));
                                for (int i = 0; i < s.names().size(); i++) {
                                    inner.values.put(
                                            s.names().get(i),
                                            evaluator.evaluate(s.values().get(i), scope));
                                }
                                return run(s.body(), inner);
                            });
            case Statement.Break s -> Flow.BREAK;
            case Statement.Continue s -> Flow.CONTINUE;
        };
    }

    private interface Action {
        Flow run();
    }

    private static Flow at(int line, Action action) {
        try {
            return action.run();
        } catch (TemplateException e) {
            throw e.at(line);
        }
    }

    private Flow conditional(Statement.If s, Scope scope) {
        for (int i = 0; i < s.conditions().size(); i++) {
            if (holds(s.conditions().get(i), s.line(), scope)) {
                return run(s.bodies().get(i), scope);
            }
        }
        boolean otherwise = s.bodies().size() > s.conditions().size();
        return otherwise ? run(s.bodies().getLast(), scope) : Flow.ON;
    }

    private boolean holds(Expression condition, int line, Scope scope) {
        try {
            return PythonValues.truth(evaluator.evaluate(condition, scope));
        } catch (TemplateException e) {
            throw e.at(line);
        }
    }

    private Flow loop(Statement.For s, Scope scope) {
        List<Object> items = new ArrayList<>();
        for (Object item : PythonValues.items(evaluator.evaluate(s.items(), scope))) {
            evaluator.step();
            boolean kept = true;
            if (s.condition().isPresent()) {
                Scope inner = new Scope(Optional.of(scope));
                unpack(s.targets(), item, inner);
                kept = PythonValues.truth(evaluator.evaluate(s.condition().get(), inner));
            }
            if (kept) {
                items.add(item);
            }
        }
        if (items.isEmpty()) {
            return run(s.otherwise(), new Scope(Optional.of(scope)));
        }
        Loop loop = new Loop(items);
        for (int i = 0; i < items.size(); i++) {
            Scope inner = new Scope(Optional.of(scope));
            loop.index = i;
            inner.values.put("loop", loop);
            unpack(s.targets(), items.get(i), inner);
            if (run(s.body(), inner) == Flow.BREAK) {
                break;
            }
        }
        return Flow.ON;
    }

    private static void unpack(List<String> targets, Object value, Scope scope) {
        if (targets.size() == 1) {
            scope.values.put(targets.getFirst(), value);
            return;
        }
        List<Object> parts = PythonValues.items(value);
        if (parts.size() != targets.size()) {
            throw new TemplateException(
                    "%d values cannot be unpacked into %d names"
                            .formatted(parts.size(), targets.size()));
        }
        for (int i = 0; i < parts.size(); i++) {
            scope.values.put(targets.get(i), parts.get(i));
        }
    }

    private void assign(Statement.Assign s, Scope scope) {
        Object value = evaluator.evaluate(s.value(), scope);
        if (s.attribute().isEmpty()) {
            unpack(s.targets(), value, scope);
        } else if (scope.get(s.targets().getFirst()) instanceof Namespace namespace) {
            namespace.attributes.put(s.attribute().get(), value);
        } else {
            throw new TemplateException("only a namespace's attributes can be set");
        }
    }

    private Object filtered(Object value, List<Filtering> filters, Scope scope) {
        Object result = value;
        for (Filtering filter : filters) {
            result =
                    Filters.apply(
                            filter.name(),
                            result,
                            evaluator.positional(filter.arguments(), scope),
                            evaluator.named(filter.arguments(), scope));
        }
        return result;
    }

    /// What a body writes.
    private String captured(List<Statement> body, Scope scope) {
        StringBuilder before = out;
        out = new StringBuilder();
        try {
            run(body, scope);
            return out.toString();
        } finally {
            out = before;
        }
    }

    private Callable macro(Statement.Macro macro, Scope scope) {
        return (positional, named) -> {
            Scope inner = new Scope(Optional.of(scope));
            int plain = macro.parameters().size() - macro.defaults().size();
            for (int i = 0; i < macro.parameters().size(); i++) {
                String name = macro.parameters().get(i);
                Object value;
                if (i < positional.size()) {
                    value = positional.get(i);
                } else if (named.containsKey(name)) {
                    value = named.getOrDefault(name, None.NONE);
                } else if (i >= plain) {
                    value = evaluator.evaluate(macro.defaults().get(i - plain), inner);
                } else {
                    value = new Undefined(name);
                }
                inner.values.put(name, value);
            }
            Object caller = named.get("caller");
            if (caller != null) {
                inner.values.put("caller", caller);
            }
            if (positional.size() > macro.parameters().size()) {
                throw new TemplateException(
                        "the macro '" + macro.name() + "' takes fewer arguments");
            }
            return captured(macro.body(), inner);
        };
    }
}
