package dev.penjing.model.template;

import dev.penjing.model.template.Expression.Arguments;
import dev.penjing.model.template.Statement.Filtering;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Runs a template once. Text, steps and depth are bounded, so that no template runs for ever.
final class Interpreter {
    private static final int LONGEST = 1 << 24;
    private static final int MOST_STEPS = 5_000_000;
    private static final int DEEPEST = 150;

    private enum Flow {
        ON,
        BREAK,
        CONTINUE
    }

    /// Names and their values; what is not here is looked up outside.
    private static final class Scope {
        private final Map<String, Object> values = new HashMap<>();
        private final Optional<Scope> outer;

        Scope(Optional<Scope> outer) {
            this.outer = outer;
        }

        Object get(String name) {
            Object value = values.get(name);
            if (value != null) {
                return value;
            }
            return outer.isPresent() ? outer.get().get(name) : new Undefined(name);
        }
    }

    private StringBuilder out = new StringBuilder();
    private int steps;
    private int depth;

    private Interpreter() {}

    static String run(List<Statement> template, Map<String, Object> variables) {
        Interpreter interpreter = new Interpreter();
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
            step();
            Flow flow = run(statement, scope);
            if (flow != Flow.ON) {
                depth--;
                return flow;
            }
        }
        depth--;
        return Flow.ON;
    }

    private void step() {
        if (++steps > MOST_STEPS) {
            throw new TemplateException("the template takes too many steps");
        }
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
                                write(Python.text(evaluate(value, scope)));
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
                                Scope inner = new Scope(Optional.of(scope));
                                inner.values.put("caller", macro(s.body(), scope));
                                write(
                                        Python.text(
                                                call(
                                                        s.call(),
                                                        inner,
                                                        Optional.of(macro(s.body(), scope)))));
                                return Flow.ON;
                            });
            case Statement.FilterBlock s ->
                    at(
                            s.line(),
                            () -> {
                                Object text = captured(s.body(), new Scope(Optional.of(scope)));
                                write(Python.text(filtered(text, s.filters(), scope)));
                                return Flow.ON;
                            });
            case Statement.With s ->
                    at(
                            s.line(),
                            () -> {
                                Scope inner = new Scope(Optional.of(scope));
                                for (int i = 0; i < s.names().size(); i++) {
                                    inner.values.put(
                                            s.names().get(i), evaluate(s.values().get(i), scope));
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
        for (int i = 0; i < s.bodies().size(); i++) {
            int index = i;
            boolean holds =
                    i >= s.conditions().size()
                            || at(
                                            s.line(),
                                            () ->
                                                    Python.truth(
                                                                    evaluate(
                                                                            s.conditions()
                                                                                    .get(index),
                                                                            scope))
                                                            ? Flow.ON
                                                            : Flow.BREAK)
                                    == Flow.ON;
            if (holds) {
                return run(s.bodies().get(i), scope);
            }
        }
        return Flow.ON;
    }

    private Flow loop(Statement.For s, Scope scope) {
        List<Object> items = new ArrayList<>();
        for (Object item : Python.items(evaluate(s.items(), scope))) {
            step();
            boolean kept = true;
            if (s.condition().isPresent()) {
                Scope inner = new Scope(Optional.of(scope));
                unpack(s.targets(), item, inner);
                kept = Python.truth(evaluate(s.condition().get(), inner));
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
        List<Object> parts = Python.items(value);
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
        Object value = evaluate(s.value(), scope);
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
                            positional(filter.arguments(), scope),
                            named(filter.arguments(), scope));
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
                    value = evaluate(macro.defaults().get(i - plain), inner);
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

    private Object evaluate(Expression expression, Scope scope) {
        step();
        return switch (expression) {
            case Expression.Literal(Object value) -> value;
            case Expression.Name(String name) -> scope.get(name);
            case Expression.ListOf(List<Expression> items) -> {
                List<Object> values = new ArrayList<>();
                items.forEach(item -> values.add(evaluate(item, scope)));
                yield values;
            }
            case Expression.DictOf d -> {
                Map<Object, Object> values = new LinkedHashMap<>();
                for (int i = 0; i < d.keys().size(); i++) {
                    values.put(
                            evaluate(d.keys().get(i), scope), evaluate(d.values().get(i), scope));
                }
                yield values;
            }
            case Expression.Attribute(Expression of, String name) ->
                    attribute(evaluate(of, scope), name);
            case Expression.Item(Expression of, Expression index) ->
                    item(evaluate(of, scope), evaluate(index, scope));
            case Expression.Slice s -> slice(s, scope);
            case Expression.Call c -> call(c, scope, Optional.empty());
            case Expression.Filter(Expression of, String name, Arguments arguments) ->
                    Filters.apply(
                            name,
                            evaluate(of, scope),
                            positional(arguments, scope),
                            named(arguments, scope));
            case Expression.Test(
                            Expression of,
                            String name,
                            Arguments arguments,
                            boolean negated) ->
                    Filters.test(name, evaluate(of, scope), positional(arguments, scope))
                            != negated;
            case Expression.Unary(String operator, Expression of) ->
                    unary(operator, evaluate(of, scope));
            case Expression.Binary b -> binary(b, scope);
            case Expression.Comparison c -> comparison(c, scope);
            case Expression.Conditional c -> {
                if (Python.truth(evaluate(c.condition(), scope))) {
                    yield evaluate(c.then(), scope);
                }
                yield c.otherwise().isPresent()
                        ? evaluate(c.otherwise().get(), scope)
                        : new Undefined("the other case");
            }
        };
    }

    private static Object unary(String operator, Object value) {
        return switch (operator) {
            case "not" -> !Python.truth(value);
            case "-" ->
                    value instanceof Double d
                            ? (Object) (-d)
                            : (Object) Math.negateExact(Python.whole(value));
            default -> value instanceof Double ? value : (Object) Python.whole(value);
        };
    }

    private Object binary(Expression.Binary b, Scope scope) {
        Object left = evaluate(b.left(), scope);
        return switch (b.operator()) {
            case "and" -> Python.truth(left) ? evaluate(b.right(), scope) : left;
            case "or" -> Python.truth(left) ? left : evaluate(b.right(), scope);
            default -> Python.binary(b.operator(), left, evaluate(b.right(), scope));
        };
    }

    private Object comparison(Expression.Comparison c, Scope scope) {
        Object left = evaluate(c.first(), scope);
        for (int i = 0; i < c.operators().size(); i++) {
            Object right = evaluate(c.rest().get(i), scope);
            boolean holds =
                    switch (c.operators().get(i)) {
                        case "==" -> Python.equal(left, right);
                        case "!=" -> !Python.equal(left, right);
                        case "<" -> Python.compare(left, right) < 0;
                        case "<=" -> Python.compare(left, right) <= 0;
                        case ">" -> Python.compare(left, right) > 0;
                        case ">=" -> Python.compare(left, right) >= 0;
                        case "in" -> Python.contains(right, left);
                        default -> !Python.contains(right, left);
                    };
            if (!holds) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private Object call(Expression expression, Scope scope, Optional<Callable> caller) {
        if (!(expression instanceof Expression.Call c)) {
            throw new TemplateException("a call block needs a call");
        }
        Object function = evaluate(c.function(), scope);
        if (!(function instanceof Callable callable)) {
            throw new TemplateException(
                    function instanceof Undefined(String what)
                            ? "'" + what + "' is undefined"
                            : Python.kind(function) + " cannot be called");
        }
        Map<String, Object> named = named(c.arguments(), scope);
        caller.ifPresent(body -> named.put("caller", body));
        return callable.call(positional(c.arguments(), scope), named);
    }

    private List<Object> positional(Arguments arguments, Scope scope) {
        List<Object> values = new ArrayList<>();
        arguments.positional().forEach(a -> values.add(evaluate(a, scope)));
        return values;
    }

    private Map<String, Object> named(Arguments arguments, Scope scope) {
        Map<String, Object> values = new HashMap<>();
        for (int i = 0; i < arguments.names().size(); i++) {
            values.put(arguments.names().get(i), evaluate(arguments.named().get(i), scope));
        }
        return values;
    }

    /// `of.name`: a method, or else an item.
    static Object attribute(Object of, String name) {
        if (of instanceof Undefined(String what)) {
            throw new TemplateException("'" + what + "' is undefined");
        }
        if (of instanceof Namespace namespace) {
            return namespace.attributes.getOrDefault(name, new Undefined(name));
        }
        if (of instanceof Loop loop) {
            return loop.attribute(name);
        }
        Optional<Callable> method = Methods.of(of, name);
        return method.isPresent() ? method.get() : item(of, name);
    }

    /// `of[index]`.
    static Object item(Object of, Object index) {
        switch (of) {
            case Undefined(String what) ->
                    throw new TemplateException("'" + what + "' is undefined");
            case Map<?, ?> map -> {
                Object value = map.get(index);
                if (value != null) {
                    return value;
                }
            }
            case List<?> list when index instanceof Long i -> {
                long at = i < 0 ? i + list.size() : i;
                if (at >= 0 && at < list.size()) {
                    return list.get((int) at);
                }
            }
            case String s when index instanceof Long i -> {
                int[] points = s.codePoints().toArray();
                long at = i < 0 ? i + points.length : i;
                if (at >= 0 && at < points.length) {
                    return Character.toString(points[(int) at]);
                }
            }
            default -> {}
        }
        if (index instanceof String name) {
            Optional<Callable> method = Methods.of(of, name);
            if (method.isPresent() && !(of instanceof Map<?, ?>)) {
                return method.get();
            }
        }
        return new Undefined(Python.text(index));
    }

    private Object slice(Expression.Slice s, Scope scope) {
        Object of = evaluate(s.of(), scope);
        List<Object> items = Python.items(of);
        long step = bound(s.step(), scope, 1);
        if (step == 0) {
            throw new TemplateException("a slice's step is zero");
        }
        int size = items.size();
        long start = position(bound(s.start(), scope, step > 0 ? 0 : Long.MAX_VALUE), size, step);
        long stop =
                s.stop().isPresent() && evaluate(s.stop().get(), scope) != None.NONE
                        ? position(bound(s.stop(), scope, 0), size, step)
                        : step > 0 ? size : -1;
        List<Object> result = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            result.add(items.get((int) i));
        }
        if (of instanceof String) {
            StringBuilder text = new StringBuilder();
            result.forEach(c -> text.append(Python.text(c)));
            return text.toString();
        }
        return result;
    }

    private long bound(Optional<Expression> part, Scope scope, long otherwise) {
        if (part.isEmpty()) {
            return otherwise;
        }
        Object value = evaluate(part.get(), scope);
        return value == None.NONE ? otherwise : Python.whole(value);
    }

    /// As Python clamps a slice's ends.
    private static long position(long index, int size, long step) {
        long at = index < 0 ? index + size : index;
        return step > 0 ? Math.clamp(at, 0, size) : Math.clamp(at, -1, size - 1);
    }

    /// The `loop` of a loop.
    private static final class Loop {
        private final List<Object> items;
        private int index;
        private Object last = None.NONE;

        Loop(List<Object> items) {
            this.items = items;
        }

        Object attribute(String name) {
            long size = items.size();
            return switch (name) {
                case "index" -> index + 1L;
                case "index0" -> (long) index;
                case "revindex" -> size - index;
                case "revindex0" -> size - index - 1;
                case "first" -> index == 0;
                case "last" -> index == size - 1;
                case "length" -> size;
                case "depth" -> 1L;
                case "depth0" -> 0L;
                case "previtem" -> index > 0 ? items.get(index - 1) : new Undefined("previtem");
                case "nextitem" ->
                        index + 1 < size ? items.get(index + 1) : new Undefined("nextitem");
                case "cycle" ->
                        (Callable)
                                (p, n) -> Methods.argument(p, p.isEmpty() ? 0 : index % p.size());
                case "changed" ->
                        (Callable)
                                (p, n) -> {
                                    Object before = last;
                                    last = p;
                                    return !Python.equal(before, p);
                                };
                default -> throw new TemplateException("loop." + name + " is not known here");
            };
        }
    }
}
