# Sets whose members come in the order of CPython 3.10 to 3.13. There, a set is a hash table with
# open addressing and is listed slot by slot; this interpreter lists members in the order in which
# they came. Programs that list sets of small integers rely on the former.
#
# The members stay in a set of the interpreter's own, and beside it a Table follows, without the
# members' own code, which slots they would have in CPython: as soon as somebody wants to know, and
# from then on at each change. A set of members whose hashes differ from process to process in
# CPython (strings, most objects) has no Table, and keeps the order in which they came.
#
# A program's text is changed so that its set displays pass through DISPLAY; see SetOrder.java.


def install():
    import abc
    import builtins

    native_set, native_frozen = set, frozenset
    SETS = (native_set, native_frozen)
    set_new, frozen_new = native_set.__new__, native_frozen.__new__
    set_iter, frozen_iter = native_set.__iter__, native_frozen.__iter__
    set_len = native_set.__len__
    set_add, set_update, set_clear = native_set.add, native_set.update, native_set.clear
    set_discard, set_remove = native_set.discard, native_set.remove
    set_contains = native_set.__contains__
    INTS = {int}

    WORD = (1 << 64) - 1
    EMPTY, DUMMY = object(), object()

    def hash_of(x):
        """The hash that CPython gives x in every process; None if there is no such."""
        kind = type(x)
        if kind is int or kind is bool:
            return hash(x)
        if kind is float:
            return hash(x) if x == x else None
        if x is None:
            return 0xFCA86420
        if issubclass(kind, tuple):
            return tuple_hash(x) if kind.__hash__ is tuple.__hash__ else None
        if issubclass(kind, SETS):
            return frozen_hash(x)
        return None

    def tuple_hash(x):
        acc = 2870177450012600261
        for item in tuple.__iter__(x):
            lane = hash_of(item)
            if lane is None:
                return None
            acc = (acc + (lane & WORD) * 14029467366897019727) & WORD
            acc = ((acc << 31) & WORD) | (acc >> 33)
            acc = (acc * 11400714785074694791) & WORD
        acc = (acc + (tuple.__len__(x) ^ 2870177450012600261 ^ 3527539)) & WORD
        return 1546275796 if acc == WORD else acc

    def frozen_hash(x):
        acc = 0
        keys = members(x)
        for key in keys:
            h = hash_of(key)
            if h is None:
                return None
            h &= WORD
            acc ^= ((h ^ 89869747 ^ (h << 16)) * 3644798167) & WORD
        acc ^= ((len(keys) + 1) * 1927868237) & WORD
        acc ^= (acc >> 11) ^ (acc >> 25)
        acc = (acc * 69069 + 907133923) & WORD
        return 590923713 if acc == WORD else acc

    class Table:
        """CPython's setobject.c without the members' own code. A slot with a hash has a member,
        all others are EMPTY or, since a member left them, DUMMY. Whether the native set is in the
        same order (of a frozenset: a list that is) says listed."""

        __slots__ = ("keys", "hashes", "mask", "fill", "used", "finger", "listed")

        def __init__(self, size=8):
            self.keys = [EMPTY] * size
            self.hashes = [None] * size
            self.mask = size - 1
            self.fill = self.used = self.finger = 0
            self.listed = False

        def live(self):
            return [k for k, h in zip(self.keys, self.hashes) if h is not None]

        def insert(self, key, h):
            """A key that is not there yet."""
            keys, mask = self.keys, self.mask
            i = h & mask
            if keys[i] is not EMPTY:
                i = free(keys, mask, h)
            self.used += 1
            self.listed = False
            new = keys[i] is EMPTY
            keys[i] = key
            self.hashes[i] = h
            if new:
                self.fill += 1
                if self.fill * 5 >= mask * 3:
                    self.grow()

        def grow(self):
            self.resize(self.used * (2 if self.used > 50000 else 4))

        def resize(self, above):
            size = 8
            while size <= above:
                size <<= 1
            keys, hashes = self.keys, self.hashes
            self.keys, self.hashes = [EMPTY] * size, [None] * size
            self.mask = size - 1
            self.place(keys, hashes)
            self.fill = self.used
            self.listed = False

        def place(self, from_keys, from_hashes):
            keys, hashes, mask = self.keys, self.hashes, self.mask
            for key, h in zip(from_keys, from_hashes):
                if h is not None:
                    i = h & mask
                    if keys[i] is not EMPTY:
                        i = free(keys, mask, h)
                    keys[i] = key
                    hashes[i] = h

        def reserve(self, more):
            if (self.fill + more) * 5 >= self.mask * 3:
                self.resize((self.used + more) * 2)

        def merge(self, other):
            if other is self or other.used == 0:
                return
            self.reserve(other.used)
            self.listed = False
            if self.fill == 0:
                if self.mask == other.mask and other.fill == other.used:
                    self.keys, self.hashes = other.keys[:], other.hashes[:]
                else:
                    self.place(other.keys, other.hashes)
                self.fill = self.used = other.used
                return
            for key, h in zip(other.keys, other.hashes):
                if h is not None and self.find(key, h) < 0:
                    self.insert(key, h)

        def find(self, key, h):
            keys, hashes, mask = self.keys, self.hashes, self.mask
            i = h & mask
            perturb = h & WORD
            while True:
                for j in range(i, i + 10 if i + 9 <= mask else i + 1):
                    found = hashes[j]
                    if found is None:
                        if keys[j] is EMPTY:
                            return -1
                    elif found == h and (keys[j] is key or keys[j] == key):
                        return j
                perturb >>= 5
                i = (i * 5 + 1 + perturb) & mask

        def drop(self, key, left):
            """A key that was there; left is the set without it."""
            h = hash_of(key)
            i = -1 if h is None else self.find(key, h)
            if i < 0:
                # equal to a member, and of a kind that has its own hash
                for j, k in enumerate(self.keys):
                    if self.hashes[j] is not None and not set_contains(left, k):
                        i = j
            self.keys[i] = DUMMY
            self.hashes[i] = None
            self.used -= 1

    def free(keys, mask, h):
        """Where a key goes: to the last DUMMY before the first EMPTY, or else there."""
        i = h & mask
        perturb = h & WORD
        dummy = -1
        while True:
            for j in range(i, i + 10 if i + 9 <= mask else i + 1):
                key = keys[j]
                if key is EMPTY:
                    return j if dummy < 0 else dummy
                if key is DUMMY:
                    dummy = j
            perturb >>= 5
            i = (i * 5 + 1 + perturb) & mask

    def size_for(count):
        """Of a table to which so many keys were added one by one."""
        size = 8
        while True:
            full = ((size - 1) * 3 + 4) // 5
            if count < full:
                return size
            above = full * (2 if full > 50000 else 4)
            while size <= above:
                size <<= 1

    def build(keys):
        """The table to which these keys, each once, were added; False if it is not known."""
        if not keys:
            return Table()
        if native_set(map(type, keys)) == INTS:
            size = size_for(len(keys))
            if min(keys) >= 0 and max(keys) < size:
                # each in its own slot
                table = Table(size)
                slots, hashes = table.keys, table.hashes
                for key in keys:
                    slots[key] = hashes[key] = key
                table.fill = table.used = len(keys)
                return table
            hashes = list(map(hash, keys))
        else:
            if hash_of(keys[0]) is None:
                return False
            hashes = list(map(hash_of, keys))
            if None in hashes:
                return False
        table = Table()
        for key, h in zip(keys, hashes):
            table.insert(key, h)
        return table

    def members(s):
        return list(set_iter(s) if isinstance(s, native_set) else frozen_iter(s))

    def table_of(s):
        """A set's table; False if it is not known."""
        try:
            table = s._order
        except AttributeError:
            # one of the interpreter's own
            return build(members(s))
        if table is None:
            table = s._order = build(members(s))
        return table

    def ordered(s):
        table = table_of(s)
        return table.live() if table else members(s)

    # below, names as in setobject.c

    def new():
        s = set_new(Set)
        s._order = None
        return s

    def new_of(keys):
        s = new()
        set_update(s, keys)
        return s

    def copy(s):
        r = new()
        update(r, s)
        return r

    def like(s, r):
        """The result r, of the kind of s."""
        if isinstance(s, native_set):
            return r
        f = frozen_new(Frozen, r)
        f._order = r._order
        return f

    def update(s, other):
        if isinstance(other, SETS):
            if other is not s and len(other) > 0:
                mine, theirs = table_of(s), table_of(other)
                set_update(s, other)
                if mine and theirs:
                    mine.merge(theirs)
                else:
                    s._order = False
        elif type(other) is dict:
            table = table_of(s)
            if table:
                table.reserve(len(other))
            for key in other:
                add(s, key)
        elif s._order:
            for key in other:
                add(s, key)
        else:
            set_update(s, other)

    def add(s, key):
        table = s._order
        if table:
            count = set_len(s)
            set_add(s, key)
            if set_len(s) != count:
                h = hash_of(key)
                if h is None:
                    s._order = False
                else:
                    table.insert(key, h)
        else:
            set_add(s, key)

    def discard(s, key, how=set_discard):
        """Whether it was there."""
        table = table_of(s)
        count = set_len(s)
        how(s, key)
        if set_len(s) == count:
            return False
        if table:
            table.drop(key, s)
        elif count == 1:
            s._order = None
        return True

    def clear(s):
        table = s._order
        set_clear(s)
        s._order = None
        if table and table.finger:
            table_of(s).finger = table.finger

    def intersection(s, other):
        if other is s:
            return copy(s)
        if isinstance(other, SETS):
            if len(other) > len(s):
                s, other = other, s
            other = ordered(other)
        return new_of([key for key in other if key in s])

    def become(s, r):
        table = s._order
        set_clear(s)
        set_update(s, r)
        s._order = r._order
        if table and table.finger:
            after = table_of(s)
            if after:
                after.finger = table.finger

    def difference_update(s, other):
        if other is s:
            clear(s)
            return
        if isinstance(other, SETS):
            if len(other) >> 3 > len(s):
                other = intersection(s, other)
            other = members(other)
        for key in other:
            discard(s, key)
        table = s._order
        if table and table.fill - table.used > table.mask // 4:
            table.grow()

    def difference(s, other):
        if (isinstance(other, SETS) or type(other) is dict) and len(s) >> 2 <= len(other):
            return new_of([key for key in ordered(s) if key not in other])
        r = copy(s)
        difference_update(r, other)
        return r

    def symmetric_difference_update(s, other):
        if other is s:
            clear(s)
            return
        if type(other) is not dict:
            other = ordered(other if isinstance(other, SETS) else Set(other))
        for key in other:
            if not discard(s, key):
                add(s, key)

    def symmetric_difference(s, other):
        r = Set(other)
        symmetric_difference_update(r, s)
        return r

    # the methods of both

    def method_copy(self):
        return self if type(self) is Frozen else like(self, copy(self))

    def method_union(self, *others):
        r = copy(self)
        for other in others:
            if other is not self:
                update(r, other)
        return like(self, r)

    def method_intersection(self, *others):
        if not others:
            return method_copy(self)
        r = self
        for other in others:
            r = intersection(r, other)
        return like(self, r)

    def method_difference(self, *others):
        if not others:
            return method_copy(self)
        r = difference(self, others[0])
        for other in others[1:]:
            difference_update(r, other)
        return like(self, r)

    def method_symmetric_difference(self, other):
        return like(self, symmetric_difference(self, other))

    def operator(method):
        def left(self, other):
            return method(self, other) if isinstance(other, SETS) else NotImplemented

        def right(self, other):
            return method(other, self) if isinstance(other, SETS) else NotImplemented

        return left, right

    def inplace(change):
        def apply(self, other):
            if not isinstance(other, SETS):
                return NotImplemented
            change(self, other)
            return self

        return apply

    def method_repr(self):
        name = type(self).__name__
        if len(self) == 0:
            return name + "()"
        listed = "{" + ", ".join(map(repr, list(self))) + "}"
        return listed if type(self) is Set else name + "(" + listed + ")"

    def method_reduce(self):
        return type(self), (list(self),), getattr(self, "__dict__", None)

    # of ABCMeta, so that classes may derive from a set and an abstract class
    class Meta(abc.ABCMeta):
        def __instancecheck__(cls, x):
            if cls is Set or cls is Frozen:
                return isinstance(x, native_set if cls is Set else native_frozen)
            return super().__instancecheck__(x)

        def __subclasscheck__(cls, x):
            if cls is Set or cls is Frozen:
                return issubclass(x, native_set if cls is Set else native_frozen)
            return super().__subclasscheck__(x)

    class Set(native_set, metaclass=Meta):
        __slots__ = ("_order",)
        __doc__ = native_set.__doc__

        def __init__(self, *iterable):
            if len(iterable) > 1:
                raise TypeError(f"set expected at most 1 argument, got {len(iterable)}")
            if set_len(self):
                clear(self)
            else:
                self._order = None
            if iterable:
                update(self, iterable[0])

        def __getattr__(self, name):
            if name == "_order":
                # of a subclass that did not initialise it
                return None
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

        def __iter__(self):
            table = self._order
            if table is None and set_len(self) > 1:
                table = table_of(self)
            if table and not table.listed:
                keys = table.live()
                set_clear(self)
                set_update(self, keys)
                table.listed = True
            return set_iter(self)

        def add(self, key):
            add(self, key)

        def discard(self, key):
            discard(self, key)

        def remove(self, key):
            discard(self, key, set_remove)

        def pop(self):
            if not set_len(self):
                raise KeyError("pop from an empty set")
            table = table_of(self)
            if not table:
                key = next(set_iter(self))
                discard(self, key)
                return key
            hashes, mask = table.hashes, table.mask
            i = table.finger & mask
            while hashes[i] is None:
                i = (i + 1) & mask
            key = table.keys[i]
            set_discard(self, key)
            table.keys[i] = DUMMY
            hashes[i] = None
            table.used -= 1
            table.finger = i + 1
            return key

        def clear(self):
            clear(self)

        def update(self, *others):
            for other in others:
                update(self, other)

        def intersection_update(self, *others):
            become(self, method_intersection(self, *others))

        def difference_update(self, *others):
            for other in others:
                difference_update(self, other)

        def symmetric_difference_update(self, other):
            symmetric_difference_update(self, other)

        __ior__ = inplace(update)
        __iand__ = inplace(lambda s, other: become(s, intersection(s, other)))
        __isub__ = inplace(difference_update)
        __ixor__ = inplace(symmetric_difference_update)
        __hash__ = None

    class Frozen(native_frozen, metaclass=Meta):
        __slots__ = ("_order",)
        __doc__ = native_frozen.__doc__

        def __new__(cls, *iterable):
            if len(iterable) > 1:
                raise TypeError(f"frozenset expected at most 1 argument, got {len(iterable)}")
            if not iterable:
                f = frozen_new(cls)
                f._order = None
                return f
            keys = iterable[0]
            if cls is Frozen and type(keys) is Frozen:
                return keys
            if isinstance(keys, SETS) or type(keys) is dict:
                keys = Set(keys)
            f = frozen_new(cls, keys)
            f._order = keys._order if type(keys) is Set else None
            return f

        def __iter__(self):
            table = table_of(self) if len(self) > 1 else None
            if not table:
                return frozen_iter(self)
            if not table.listed:
                table.listed = table.live()
            return iter(table.listed)

    for kind, name in (Set, "set"), (Frozen, "frozenset"):
        kind.__name__ = kind.__qualname__ = name
        kind.__module__ = "builtins"
        kind.__repr__ = method_repr
        kind.__reduce__ = method_reduce
        for name, method in (
            ("copy", method_copy),
            ("union", method_union),
            ("intersection", method_intersection),
            ("difference", method_difference),
            ("symmetric_difference", method_symmetric_difference),
        ):
            method.__name__ = name
            setattr(kind, name, method)
        kind.__or__, kind.__ror__ = operator(method_union)
        kind.__and__, kind.__rand__ = operator(method_intersection)
        kind.__sub__, kind.__rsub__ = operator(method_difference)
        kind.__xor__, kind.__rxor__ = operator(method_symmetric_difference)

    def display(native, constants=""):
        """The members of a display are added one by one. Constants are a frozenset that CPython's
        compiler has made, and made again from its own list; a loop runs over that, and a display
        of three or more has it merged into an empty set."""
        s = new_of(native)
        if constants:
            table = table_of(s)
            if table:
                table = build(table.live())
                if constants == "merged":
                    s._order = Table()
                    s._order.merge(table)
                else:
                    s._order = table
        return s

    builtins.set = Set
    builtins.frozenset = Frozen
    setattr(builtins, "penjing_set_display", display)


# in globals of its own: what a program calls len or list is not what is meant above
type(install)(install.__code__, {**vars(__import__("builtins"))})()
del install
