package dev.penjing.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Sets are what they are in CPython, their order included.
@Timeout(300)
class SetOrderTest {
    private static final PythonInterpreter INTERPRETER = new PythonInterpreter();
    private static final String CALL = SetOrder.DISPLAY + "(";

    private static void passes(String program) throws InterruptedException {
        assertThat(INTERPRETER.run(program, Long.MAX_VALUE, Long.MAX_VALUE).reason()).isEmpty();
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = SetOrderTest.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void anySequenceOfOperationsGivesTheOrderOfCPython() throws Exception {
        List<String> digests = resource("sets-order.txt").lines().toList();
        assertThat(digests).hasSize(12);
        passes(
                resource("sets-order.py")
                        + "\nfor seed, expected in enumerate('"
                        + String.join(" ", digests)
                        + "'.split()):\n    assert digest(seed) == expected, seed\n");
    }

    @Test
    void displaysHaveTheOrderOfCPython() throws Exception {
        String digest = resource("sets-displays.txt").strip();
        passes(resource("sets-displays.py") + "\nassert digest == '" + digest + "', notes\n");
    }

    @Test
    void stringsStayInTheOrderInWhichTheyCame() throws Exception {
        passes(
                """
                s = set('hello world')
                assert ''.join(s) == 'helo wrd', s
                s.discard('h')
                s.add('h')
                assert s.pop() == 'e' and list(s) == list('lo wrdh')
                assert list(set('ba') | {1, 'c'}) == ['b', 'a', 1, 'c']
                """);
    }

    @Test
    void aSetIsASet() throws Exception {
        passes(
                """
                import collections.abc, copy
                from typing import Set
                s, f = {3, 1}, frozenset({3, 1})
                for x in (s, set(), {i for i in 'a'}, s | f, s.copy(), copy.deepcopy(s)):
                    assert type(x) is set and type(x) == set and x.__class__.__name__ == 'set'
                for x in (f, f | s, frozenset(), f - s, copy.copy(f)):
                    assert type(x) is frozenset and isinstance(x, frozenset)
                assert isinstance(s, set) and isinstance(s, collections.abc.MutableSet)
                assert isinstance(s, Set) and issubclass(set, collections.abc.Set)
                assert isinstance(eval('{1}'), set) and not isinstance(f, set)
                assert not isinstance([], (set, frozenset)) and not issubclass(frozenset, set)
                assert repr(set) == "<class 'set'>" and repr(set()) == 'set()'
                assert f'{s}' == '{1, 3}' and repr(f) == 'frozenset({1, 3})'
                assert s == f == {1, 3} and hash(f) == hash(frozenset([1, 3])) and {f: 1}[f]
                assert {f} == {frozenset({1, 3})} and s in [f] and s in {f} and {1} < s
                assert set[int] and (set | None) and frozenset(f) is f and f.copy() is f
                assert {**{1: 2}} == {1: 2} and {} == dict() and {x: 1 for x in s} == {1: 1, 3: 1}
                for code, message in (
                    ("{s}", "unhashable type: 'set'"),
                    ("s + s", "unsupported operand type(s) for +: 'set' and 'set'"),
                    ("s | [1]", "unsupported operand type(s) for |: 'set' and 'list'"),
                    ("set(1)", "'int' object is not iterable"),
                    ("set(1, 2)", "set expected at most 1 argument, got 2"),
                    ("s.nothing", "'set' object has no attribute 'nothing'"),
                    ("s[0]", "'set' object is not subscriptable"),
                    ("s.remove(2)", "2"),
                    ("set().pop()", "'pop from an empty set'"),
                ):
                    try:
                        eval(code)
                    except Exception as e:
                        assert str(e) == message, str(e)
                    else:
                        assert False, code
                try:
                    for x in s:
                        s.add(x + 10)
                except RuntimeError as e:
                    assert str(e) == 'Set changed size during iteration'
                else:
                    assert False
                """);
    }

    @Test
    void classesDeriveFromSets() throws Exception {
        passes(
                """
                from collections.abc import MutableSet
                class Bag(set):
                    def __init__(self, name):
                        self.name = name
                    def add(self, x):
                        super().add(x * 2)
                b = Bag('b')
                b.add(8)
                b.add(0)
                assert list(b) == [16, 0] and b.name == 'b' and repr(b) == 'Bag({16, 0})'
                assert not isinstance({1}, Bag) and isinstance(b, set) and type(b) is Bag
                assert type(b | {1}) is set and list({0} | b) == [0, 16]
                class Both(set, MutableSet):
                    pass
                assert list(Both([9, 1])) == [9, 1]
                """);
    }

    @Test
    void whatAProgramCallsItsVariablesDoesNotMatter() throws Exception {
        passes(
                """
                before = set(globals())
                len = list = isinstance = type = map = min = max = zip = range = hash = None
                import builtins
                builtins.len = builtins.map = None
                assert [*{9, 1, 8}] == [8, 9, 1], {9, 1, 8}
                x = {1, 2}; x.update({64: 1}); x.discard(1); x |= {7}
                assert [*x] == [64, 2, 7] and x - {2} == {64, 7}
                set = {5}
                assert {5} == set and [*{16, 8}] == [16, 8]
                assert all(name.startswith('__') for name in before), before
                """);
    }

    @Test
    void linesStayWhereTheyAre() throws Exception {
        passes(
                """
                import traceback
                s = {1,
                     2}
                try:
                    assert {3} == s
                except AssertionError as e:
                    assert e.__traceback__.tb_lineno == 5
                """);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x = {}",
                "x = {1: 2, **y}",
                "x = {**y, 1: 2}",
                "x = {a: b for a, b in y if c in {1, 2}}",
                "x = {a: lambda: {b: 1}}",
                "x = c not in {'a', 'e'} and '{1}' != f'{x}'",
                "# {1, 2} set",
                "x = '''{1,\n2}''' + r'\\' '{2}'",
                "x = {1, 2",
                "x = {1, 2]",
                "x = 'a\n{1}'",
            })
    void aProgramWithoutSetsRunsAsItIs(String program) {
        assertThat(SetOrder.rewrite(program)).isEmpty();
    }

    @Test
    void displaysAreFound() {
        assertThat(SetOrder.rewrite("return{a, {b: 1}[c]}"))
                .contains("return " + CALL + "{a, {b: 1}[c]})");
        assertThat(SetOrder.rewrite("x = {lambda: {1}, *y}"))
                .contains("x = " + CALL + "{lambda: " + CALL + "{1}), *y})");
        assertThat(SetOrder.rewrite("a in {1, 2} | b")).contains("a in " + CALL + "{1, 2}) | b");
        assertThat(SetOrder.rewrite("for a in {1, 2}: b"))
                .contains("for a in " + CALL + "{1, 2}, 'looped'): b");
        assertThat(SetOrder.rewrite("{-1, (2, 3), 'a',}"))
                .contains(CALL + "{-1, (2, 3), 'a',}, 'merged')");
        assertThat(SetOrder.rewrite("{1, 2, a}")).contains(CALL + "{1, 2, a})");
        assertThat(SetOrder.rewrite("x = {(y := 1), z}"))
                .contains("x = " + CALL + "{(y := 1), z})");
        assertThat(SetOrder.rewrite("x = set(y)")).contains("x = set(y)");
    }
}
