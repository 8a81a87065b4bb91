# Random operations on sets, with the order of their members noted after each. The digests of
# sets-order.txt, one for each seed, are what CPython 3.12 prints when it runs this file.
import hashlib


def digest(seed):
    state = seed
    kind = seed % 6
    notes = []

    def rnd(n):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % n

    def value():
        if kind < 3:
            return rnd((12, 100, 2000)[kind]) - (0, 0, 1000)[kind]
        if kind == 3:
            return (rnd(40) - 20) * (1, 8, 16, 64, 1024, 2**40, 2**61 - 1, 2**70)[rnd(8)]
        if kind == 4:
            return (rnd(6), rnd(6))
        mixed = [rnd(20), rnd(20) / 4, float(rnd(20)), rnd(2) == 0, None, (), (rnd(4), rnd(4))]
        mixed += [((1,), (rnd(3), -1)), frozenset((rnd(5), rnd(5))), -1, -2, 1e300 * rnd(9), 0.1]
        return mixed[rnd(len(mixed))]

    def values():
        return [value() for _ in range((2, 6, 20, 60, 300)[rnd(5)] if rnd(30) else 0)]

    def operand():
        make = (list, dict.fromkeys, set, frozenset)
        return make[rnd(4)](values()) if rnd(2) else sets[rnd(len(sets))]

    def pops(a):
        for _ in range(rnd(len(a) + 1)):
            notes.append(a.pop())

    def mixture(a):
        for v in values():
            if rnd(2):
                a.add(v)
            elif rnd(2):
                a.discard(value())
            elif a:
                notes.append(a.pop())

    make = [
        lambda a, o: a.union(o),
        lambda a, o: a.union(o, values(), operand()),
        lambda a, o: a.intersection(o),
        lambda a, o: a.intersection(o, a),
        lambda a, o: a.difference(o),
        lambda a, o: a.difference(o, values()),
        lambda a, o: a.symmetric_difference(o),
        lambda a, o: a | set(o),
        lambda a, o: a & frozenset(o),
        lambda a, o: a - set(o),
        lambda a, o: a ^ set(o),
        lambda a, o: a.copy(),
        lambda a, o: set(o),
        lambda a, o: frozenset(o),
        lambda a, o: {x for x in a if rnd(3)},
    ]
    change = [
        lambda a, o: a.update(o),
        lambda a, o: a.intersection_update(o),
        lambda a, o: a.difference_update(o),
        lambda a, o: a.symmetric_difference_update(o),
        lambda a, o: a.__ior__(set(o)),
        lambda a, o: a.__iand__(set(o)),
        lambda a, o: a.__isub__(set(o)),
        lambda a, o: a.__ixor__(set(o)),
        lambda a, o: a.clear() if rnd(4) == 0 else a.__init__(o) if rnd(3) == 0 else None,
        lambda a, o: pops(a),
        lambda a, o: [a.add(v) for v in values()],
        lambda a, o: [a.discard(v) for v in values()],
        lambda a, o: [a.remove(v) for v in list(a)[: rnd(20)]],
        lambda a, o: mixture(a),
    ]
    sets = [set(), set(values()), frozenset(values())]
    for _ in range(40):
        i = rnd(len(sets))
        a = sets[i]
        if isinstance(a, set) and rnd(2):
            n = rnd(len(change))
            change[n](a, operand())
        else:
            n = -rnd(len(make)) - 1
            a = make[n](a, operand())
        sets[i] = a if len(a) < 1000 else set(list(a)[:5])
        if rnd(6) == 0:
            sets.append(a)
        if len(sets) > 6:
            del sets[rnd(len(sets))]
        if rnd(3):
            notes.append((n, type(a).__name__, list(a)))
    notes.extend(map(repr, sets))
    return hashlib.md5(repr(notes).encode()).hexdigest()[:8]


if __name__ == "__main__":
    for seed in range(12):
        print(digest(seed))
