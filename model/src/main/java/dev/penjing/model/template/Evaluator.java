package dev.penjing.model.template;

import dev.penjing.model.template.Expression.Arguments;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Expressions to values. Counts steps, those of statements too, so that no template runs for ever.
final class Evaluator {
    private static final int MOST_STEPS = 5_000_000;

    private int steps;

    void step() {
        if (++steps > MOST_STEPS) {
            throw new TemplateException("the template takes too many steps");
        }
    }

    Object evaluate(Expression expression, Scope scope) {
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
                if (PythonValues.truth(evaluate(c.condition(), scope))) {
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
            case "not" -> !PythonValues.truth(value);
            case "-" ->
                    value instanceof Double d
                            ? (Object) (-d)
                            : (Object) Math.negateExact(PythonValues.whole(value));
            default -> value instanceof Double ? value : (Object) PythonValues.whole(value);
        };
    }

    private Object binary(Expression.Binary b, Scope scope) {
        Object left = evaluate(b.left(), scope);
        return switch (b.operator()) {
            case "and" -> PythonValues.truth(left) ? evaluate(b.right(), scope) : left;
            case "or" -> PythonValues.truth(left) ? left : evaluate(b.right(), scope);
            default -> PythonValues.binary(b.operator(), left, evaluate(b.right(), scope));
        };
    }

    private Object comparison(Expression.Comparison c, Scope scope) {
        Object left = evaluate(c.first(), scope);
        for (int i = 0; i < c.operators().size(); i++) {
            Object right = evaluate(c.rest().get(i), scope);
            boolean holds =
                    switch (c.operators().get(i)) {
                        case "==" -> PythonValues.equal(left, right);
                        case "!=" -> !PythonValues.equal(left, right);
                        case "<" -> PythonValues.compare(left, right) < 0;
                        case "<=" -> PythonValues.compare(left, right) <= 0;
                        case ">" -> PythonValues.compare(left, right) > 0;
                        case ">=" -> PythonValues.compare(left, right) >= 0;
                        case "in" -> PythonValues.contains(right, left);
                        default -> !PythonValues.contains(right, left);
                    };
            if (!holds) {
                return false;
            }
            left = right;
        }
        return true;
    }

    Object call(Expression expression, Scope scope, Optional<Callable> caller) {
        if (!(expression instanceof Expression.Call c)) {
            throw new TemplateException("a call block needs a call");
        }
        Object function = evaluate(c.function(), scope);
        if (!(function instanceof Callable callable)) {
            throw new TemplateException(
                    function instanceof Undefined(String what)
                            ? "'" + what + "' is undefined"
                            : PythonValues.kind(function) + " cannot be called");
        }
        Map<String, Object> named = named(c.arguments(), scope);
        caller.ifPresent(body -> named.put("caller", body));
        return callable.call(positional(c.arguments(), scope), named);
    }

    List<Object> positional(Arguments arguments, Scope scope) {
        List<Object> values = new ArrayList<>();
        arguments.positional().forEach(a -> values.add(evaluate(a, scope)));
        return values;
    }

    Map<String, Object> named(Arguments arguments, Scope scope) {
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
        return new Undefined(PythonValues.text(index));
    }

    private Object slice(Expression.Slice s, Scope scope) {
        Object of = evaluate(s.of(), scope);
        List<Object> items = PythonValues.items(of);
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
            result.forEach(c -> text.append(PythonValues.text(c)));
            return text.toString();
        }
        return result;
    }

    private long bound(Optional<Expression> part, Scope scope, long otherwise) {
        if (part.isEmpty()) {
            return otherwise;
        }
        Object value = evaluate(part.get(), scope);
        return value == None.NONE ? otherwise : PythonValues.whole(value);
    }

    /// As Python clamps a slice's ends.
    private static long position(long index, int size, long step) {
        long at = index < 0 ? index + size : index;
        return step > 0 ? Math.clamp(at, 0, size) : Math.clamp(at, -1, size - 1);
    }
}
