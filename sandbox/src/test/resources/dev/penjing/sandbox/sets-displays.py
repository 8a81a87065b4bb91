# Set displays as a compiler sees them. The digest in sets-displays.txt is what CPython 3.12 prints
# when it runs this file.
import hashlib

notes = []


def note(x):
    notes.append(repr(x))


for x in {(0, 0), (3, 2), (0, 1), (2, 2), (1, 0)}: note(x)
for x in {int(-18), 36, -39, 34, 39}: note(x)
for x in {-29 + 3, -20 + 3, -29 + 3, 78 + 3, 31 + 3}: note(x)
note({-25 + 3, 18 + 3})
for x in {42 + 3}: note(x)
for x in {int(85), -31, 16, 67, 73, 23, 69}: note(x)
note({x % 17 for x in {(0, 3), (3, 0), (3, 1), (1, 2), (2, 3), (2, 3), (1, 2)} if type(x) is int})
note({x % 17 for x in {None, True, 1.5, 7, 63, 59, 15, -40, 14, 0, -37, 25} if type(x) is int})
note([x for x in {None, True, 1.5, 7, -34, -20, -32, -12, 85, 25, -5, -30}])
note({46 + 3, 26 + 3, -39 + 3, 3 + 3, -39 + 3, 39 + 3, -10 + 3, -12 + 3} | {None, True, 1.5, 7, -21, 22, 65, 35, 51, 18, 6, -40})
note([x for x in {10 + 3, 49 + 3, -17 + 3, -21 + 3, 63 + 3, 5 + 3}])
note([x for x in {(1, 3), (1, 2), (3, 1)} & {(3, 2), (2, 3), (3, 0), (2, 1), (3, 2)}])
note(list({None, True, 1.5, 7, -1}))
note(list({(2, 0), (0, 2), (0, 2), (1, 1), (3, 1), (0, 2), (0, 1)}))
note(list({int(31)}))
for x in {int(7), 75, 57, 46, 4, 8, -13, 81, 51, 38, 65, -31}: note(x)
note({-22, 46, -5, 38})
note({None, True, 1.5, 7, -32,})
note(list({5, -34, 6, 12, 27, -32, 43, 44, 53, 1, 3}))
note({86 + 3, -14 + 3, 11 + 3, -5 + 3, 60 + 3, 82 + 3, 86 + 3, 42 + 3, 52 + 3, 70 + 3, 63 + 3, -31 + 3} | {-1, 51, 16})
for x in {int(67)}: note(x)
note(list({None, True, 1.5, 7, -35, -35, 57, 71, 19, -5}))
note({None, True, 1.5, 7, 48})
for x in {int(-40)}: note(x)
note({(2, 3), (0, 0), (2, 1), (1, 0)} | {71, -6, -14})
note(list({None, True, 1.5, 7, 30, -6, -10, -22, -39, 0,}))
note([x for x in {None, True, 1.5, 7, 9, 26, 75, 45, 1, 37, 1, 40, 36}])
for x in {-29 + 3, -16 + 3, 7 + 3, -26 + 3, 64 + 3, -39 + 3, 60 + 3, 1 + 3, 71 + 3, -29 + 3, 16 + 3, 55 + 3, 47 + 3}: note(x)
note([x for x in {int(70), -17, 60, 0, -18, 74} & {(3, 0), (2, 3), (0, 3), (3, 2), (1, 1), (3, 2), (0, 2), (0, 1), (1, 3), (1, 2), (3, 3), (3, 0), (3, 0)}])
note([x for x in {31 + 3, 10 + 3, -4 + 3, 45 + 3, 52 + 3, -1 + 3, 27 + 3, 83 + 3}])
note({(1, 0), (1, 1), (1, 0), (3, 2)} | {None, True, 1.5, 7, -7, 46, -10, 24, 27, -16, -26})
note(list({58, -23, 12, 23, -28, 85, 59, 53, -23, -19, -3, 74, 69}))
for x in {45 + 3, 33 + 3, -10 + 3, 0 + 3, 8 + 3, 1 + 3, 59 + 3}: note(x)
note({(2, 2), (1, 0), (2, 3), (3, 3), (0, 2), (2, 0), (2, 0), (1, 3), (1, 3), (3, 1), (0, 2), (1, 1)} | {(2, 2), (3, 1), (0, 0), (1, 0)})
note({-31, 31, 11, -40, 70, 64, 29, 87})
note([x for x in {None, True, 1.5, 7, -22, 43, 26, 72, 3, -35, 47, 24}])
note({x % 17 for x in {int(30), 64, -9, 59, 71, 79, 74, 1, 81, 4} if type(x) is int})
note([x for x in {None, True, 1.5, 7, -25, 43, 78, 55, 48, -4} & {None, True, 1.5, 7, -21, 26, 67, 74, 33, 66}])
note({x % 17 for x in {(3, 0), (3, 1), (0, 2), (0, 1), (2, 3), (2, 2), (1, 0)} if type(x) is int})
for x in {(2, 3), (1, 1), (1, 3)}: note(x)

digest = hashlib.md5("\n".join(notes).encode()).hexdigest()[:8]
if __name__ == "__main__":
    print(digest)
