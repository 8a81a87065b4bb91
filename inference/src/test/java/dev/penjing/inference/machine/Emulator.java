package dev.penjing.inference.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.TreeMap;
import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;

/// Runs emitted code in plain Java: it decodes the bytes and does what Intel's manual says of each
/// instruction. So code for processors that are not at hand is tested on every machine. It knows
/// what [Assembler] writes, and nothing else; memory is what was given to it.
final class Emulator {
    private static final long STACK = 0x7fff_0000_0000L;
    private static final int STACK_BYTES = 1 << 16;
    private static final int RSP = 4;

    private final long[] registers = new long[16];
    private final int[][] vectors = new int[32][16];
    private final TreeMap<Long, ByteBuffer> memory = new TreeMap<>();
    private byte[] code = new byte[0];
    private int ip;
    private boolean zero;

    // the instruction at hand
    private int reg;
    private int second;
    private boolean inMemory;
    private int rm;
    private long address;
    private int lanes;

    Emulator() {
        map(STACK, new byte[STACK_BYTES]);
    }

    /// Gives the code memory.
    void map(long at, byte[] bytes) {
        memory.put(at, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
    }

    /// Runs a function to its return.
    ///
    /// @param arguments up to six whole numbers or addresses
    void call(byte[] function, long... arguments) {
        int[] places = {7, 6, 2, 1, 8, 9};
        for (int i = 0; i < arguments.length; i++) {
            registers[places[i]] = arguments[i];
        }
        code = function;
        ip = 0;
        // a return to the end of the code ends it
        registers[RSP] = STACK + STACK_BYTES - 64;
        push(code.length);
        long top = registers[RSP];
        while (ip < code.length) {
            step();
        }
        if (registers[RSP] != top + 8) {
            throw new IllegalStateException("the stack is not as it was");
        }
    }

    private int next() {
        return code[ip++] & 0xff;
    }

    private int next32() {
        ip += 4;
        return ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN).getInt(ip - 4);
    }

    private void step() {
        int first = next();
        switch (first) {
            case 0x62 -> evex();
            case 0xc4 -> {
                int a = next();
                int b = next();
                vex(a & 31, (~a & 0x80) >> 4, (~a & 0x20) >> 2, b);
            }
            case 0xc5 -> {
                int b = next();
                vex(1, (~b & 0x80) >> 4, 0, b);
            }
            default -> legacy(first);
        }
    }

    // ---- whole numbers

    private void legacy(int first) {
        int rex = 0;
        int opcode = first;
        if ((first & 0xf0) == 0x40) {
            rex = first;
            opcode = next();
        }
        int high = (rex & 4) << 1;
        int low = (rex & 1) << 3;
        boolean wide = (rex & 8) != 0;
        switch (opcode) {
            case 0x90 -> {}
            case 0xc3 -> ip = (int) pop();
            case 0xe9 -> ip += next32();
            case 0x89 -> {
                modRm(high, low, 1);
                if (!inMemory) {
                    registers[rm] = registers[reg];
                } else if (wide) {
                    writeInt(address, (int) registers[reg]);
                    writeInt(address + 4, (int) (registers[reg] >> 32));
                } else {
                    writeInt(address, (int) registers[reg]);
                }
            }
            case 0x8b -> {
                modRm(high, low, 1);
                registers[reg] = read(address, 8).getLong();
            }
            case 0x01 -> {
                modRm(high, low, 1);
                registers[rm] += registers[reg];
            }
            case 0x81, 0x83 -> {
                modRm(high, low, 1);
                arithmetic(reg & 7, rm, opcode == 0x83 ? code[ip++] : next32());
            }
            case 0x05, 0x25, 0x2d, 0x3d -> arithmetic(opcode >> 3, 0, next32());
            case 0x0f -> twoBytes(next(), high, low);
            default -> {
                int register = opcode & 7 | low;
                switch (opcode & 0xf8) {
                    case 0x50 -> push(registers[register]);
                    case 0x58 -> registers[register] = pop();
                    case 0xb8 -> {
                        long lower = next32() & 0xffffffffL;
                        registers[register] = wide ? (long) next32() << 32 | lower : lower;
                    }
                    default -> throw unknown("opcode", opcode);
                }
            }
        }
    }

    private void twoBytes(int opcode, int high, int low) {
        switch (opcode) {
            case 0x84, 0x85 -> {
                int distance = next32();
                ip += zero == (opcode == 0x84) ? distance : 0;
            }
            // a prefetch may name any address
            case 0x18 -> modRm(high, low, 1);
            default -> throw unknown("opcode 0f", opcode);
        }
    }

    private void arithmetic(int kind, int register, int value) {
        long result =
                switch (kind) {
                    case 0 -> registers[register] + value;
                    case 4 -> registers[register] & value;
                    case 5, 7 -> registers[register] - value;
                    default -> throw unknown("arithmetic", kind);
                };
        zero = result == 0;
        registers[register] = kind == 7 ? registers[register] : result;
    }

    private void push(long value) {
        registers[RSP] -= 8;
        read(registers[RSP], 8).putLong(value);
    }

    private long pop() {
        registers[RSP] += 8;
        return read(registers[RSP] - 8, 8).getLong();
    }

    // ---- operands

    /// @param unit of which a displacement of one byte counts multiples
    private void modRm(int high, int low, int unit) {
        int b = next();
        reg = b >> 3 & 7 | high;
        inMemory = b >> 6 != 3;
        rm = b & 7 | low;
        if (!inMemory) {
            return;
        }
        if ((b & 7) == 4 && next() != 0x24) {
            throw unknown("index", code[ip - 1]);
        }
        address =
                registers[rm]
                        + switch (b >> 6) {
                            case 0 -> 0;
                            case 1 -> code[ip++] * unit;
                            default -> next32();
                        };
    }

    private ByteBuffer read(long at, int bytes) {
        var region = memory.floorEntry(at);
        if (region == null || at + bytes > region.getKey() + region.getValue().capacity()) {
            throw new IllegalStateException("%d bytes at %x are not memory".formatted(bytes, at));
        }
        return region.getValue()
                .slice((int) (at - region.getKey()), bytes)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    private void writeInt(long at, int value) {
        read(at, 4).putInt(value);
    }

    /// The third operand, of so many ints.
    private int[] third(int count) {
        int[] values = new int[count];
        if (inMemory) {
            read(address, 4 * count).asIntBuffer().get(values);
        } else {
            System.arraycopy(vectors[rm], 0, values, 0, count);
        }
        return values;
    }

    private void vex(int map, int high, int low, int last) {
        second = ~last >> 3 & 15;
        lanes = (last & 4) != 0 ? 8 : 4;
        vector(map, last & 3, next(), high, low, false);
    }

    private void evex() {
        int a = next();
        int b = next();
        int c = next();
        second = ~b >> 3 & 15 | (~c & 8) << 1;
        lanes = 4 << (c >> 5 & 3);
        int high = (~a & 0x80) >> 4 | ~a & 0x10;
        int low = (~a & 0x20) >> 2;
        vector(a & 7, b & 3, next(), high, low | (~a & 0x40) >> 2, true);
    }

    // ---- vectors

    private void vector(int map, int prefix, int opcode, int high, int low, boolean evex) {
        int key = map << 12 | prefix << 8 | opcode;
        if (key == 0x1077) {
            return;
        }
        int unit = !evex ? 1 : isDword(key) ? 4 : key == 0x2113 ? 2 * lanes : 4 * lanes;
        int lowOfMemory = low & 8;
        int at = ip;
        modRm(high, lowOfMemory, unit);
        if (!inMemory) {
            ip = at;
            modRm(high, low, unit);
        }
        int[] a = vectors[second];
        int[] old = vectors[reg];
        switch (key) {
            case 0x1010 -> result(third(lanes));
            case 0x1011 -> store(lanes);
            case 0x116e -> result(new int[] {(int) registers[rm], 0, 0, 0});
            case 0x117e -> store(1);
            case 0x2158 -> {
                int value = third(1)[0];
                result(unary(new int[lanes], i -> value));
            }
            case 0x2113 -> {
                int[] halves = third(lanes / 2);
                int[] to = new int[lanes];
                for (int i = 0; i < lanes; i++) {
                    short half = (short) (halves[i / 2] >> i % 2 * 16);
                    to[i] = bits(Float.float16ToFloat(half));
                }
                result(to);
            }
            case 0x1170 -> {
                int order = next();
                int[] b = third(lanes);
                int[] to = new int[lanes];
                for (int i = 0; i < lanes; i++) {
                    to[i] = b[i & ~3 | order >> 2 * (i & 3) & 3];
                }
                result(to);
            }
            case 0x2136 -> {
                int[] b = third(lanes);
                result(unary(a, i -> b[i & lanes - 1]));
            }
            case 0x3139 -> {
                int half = next();
                for (int i = 0; i < 4; i++) {
                    vectors[rm][i] = vectors[reg][4 * half + i];
                }
                clear(rm, 4);
            }
            case 0x11db -> both(a, (x, y) -> x & y);
            case 0x11eb -> both(a, (x, y) -> x | y);
            case 0x11ef -> both(a, (x, y) -> x ^ y);
            case 0x11fe -> both(a, Integer::sum);
            case 0x11fa -> both(a, (x, y) -> x - y);
            case 0x11fd -> both(a, (x, y) -> shorts(x + y, (x >> 16) + (y >> 16)));
            case 0x213d -> both(a, Math::max);
            case 0x1172 -> shift();
            case 0x11f5 -> both(a, (x, y) -> (short) x * (short) y + (x >> 16) * (y >> 16));
            case 0x2104 -> both(a, (x, y) -> shorts(pair(x, y), pair(x >> 16, y >> 16)));
            case 0x2150 -> dots(a, old);
            case 0x2100 -> shuffle(a, third(lanes));
            case 0x211c -> result(unary(third(lanes), x -> bytes(x, Math::abs)));
            case 0x2108 -> both(a, Emulator::signed);
            case 0x116b -> pack(a, 2);
            case 0x1163 -> pack(a, 4);
            case 0x105b -> result(unary(third(lanes), x -> bits((float) x)));
            case 0x115b -> result(unary(third(lanes), Emulator::rounded));
            case 0x1058 -> both(a, (x, y) -> bits(f(x) + f(y)));
            case 0x1059 -> both(a, (x, y) -> bits(f(x) * f(y)));
            case 0x105e -> both(a, (x, y) -> bits(f(x) / f(y)));
            case 0x21b8 -> fma(a, third(lanes), old);
            case 0x21a8 -> fma(a, old, third(lanes));
            case 0x10c2 -> {
                both(a, (x, y) -> f(x) < f(y) ? 0 : -1);
                if (next() != 5) {
                    throw unknown("comparison", code[ip - 1]);
                }
            }
            default -> throw unknown("vector opcode", key);
        }
    }

    private static boolean isDword(int key) {
        return key == 0x116e || key == 0x117e || key == 0x2158;
    }

    private void result(int[] values) {
        System.arraycopy(values, 0, vectors[reg], 0, lanes);
        clear(reg, lanes);
    }

    /// Whatever is written, the lanes above it become zero.
    private void clear(int register, int from) {
        for (int i = from; i < 16; i++) {
            vectors[register][i] = 0;
        }
    }

    private void store(int count) {
        for (int i = 0; i < count; i++) {
            writeInt(address + 4L * i, vectors[reg][i]);
        }
    }

    private int[] unary(int[] from, IntUnaryOperator operator) {
        int[] to = new int[lanes];
        for (int i = 0; i < lanes; i++) {
            to[i] = operator.applyAsInt(from[i]);
        }
        return to;
    }

    private void both(int[] a, IntBinaryOperator operator) {
        int[] b = third(lanes);
        int[] to = new int[lanes];
        for (int i = 0; i < lanes; i++) {
            to[i] = operator.applyAsInt(a[i], b[i]);
        }
        result(to);
    }

    /// The operand byte's register number says which shift it is; the second operand is the target.
    private void shift() {
        int kind = reg & 7;
        int bits = next();
        int[] from = third(lanes);
        reg = second;
        result(
                unary(
                        from,
                        x ->
                                switch (kind) {
                                    case 2 -> x >>> bits;
                                    case 4 -> x >> bits;
                                    case 6 -> x << bits;
                                    default -> throw unknown("shift", kind);
                                }));
    }

    private void dots(int[] a, int[] old) {
        int[] b = third(lanes);
        int[] to = new int[lanes];
        for (int i = 0; i < lanes; i++) {
            to[i] = old[i];
            for (int n = 0; n < 32; n += 8) {
                to[i] += (a[i] >>> n & 0xff) * (byte) (b[i] >> n);
            }
        }
        result(to);
    }

    /// Bytes by number, in each 128 bits; none where the number's highest bit is set.
    private void shuffle(int[] a, int[] numbers) {
        int[] to = new int[lanes];
        for (int i = 0; i < 4 * lanes; i++) {
            int number = numbers[i / 4] >>> i % 4 * 8 & 0xff;
            int from = i / 16 * 16 + (number & 15);
            int value = number > 127 ? 0 : a[from / 4] >>> from % 4 * 8 & 0xff;
            to[i / 4] |= value << i % 4 * 8;
        }
        result(to);
    }

    private void fma(int[] a, int[] b, int[] c) {
        int[] to = new int[lanes];
        for (int i = 0; i < lanes; i++) {
            to[i] = bits(Math.fma(f(a[i]), f(b[i]), f(c[i])));
        }
        result(to);
    }

    /// Halves of 128 bits on their own: of each first `a`, then the third operand.
    private void pack(int[] a, int perInt) {
        int[] b = third(lanes);
        int[] to = new int[lanes];
        int width = 32 / perInt;
        for (int group = 0; group < lanes; group += 4) {
            for (int i = 0; i < 4 * perInt; i++) {
                int[] from = i < 2 * perInt ? a : b;
                int n = i % (2 * perInt);
                int value =
                        perInt == 2
                                ? Math.clamp(from[group + n], Short.MIN_VALUE, Short.MAX_VALUE)
                                : Math.clamp(
                                        (short) (from[group + n / 2] >> n % 2 * 16),
                                        Byte.MIN_VALUE,
                                        Byte.MAX_VALUE);
                int mask = (1 << width) - 1;
                to[group + i / perInt] |= (value & mask) << i % perInt * width;
            }
        }
        result(to);
    }

    private static int pair(int unsigned, int signed) {
        int sum =
                (unsigned & 0xff) * (byte) signed + (unsigned >>> 8 & 0xff) * (byte) (signed >> 8);
        return Math.clamp(sum, Short.MIN_VALUE, Short.MAX_VALUE);
    }

    private static int shorts(int low, int high) {
        return low & 0xffff | high << 16;
    }

    private static int bytes(int x, IntUnaryOperator operator) {
        int to = 0;
        for (int n = 0; n < 32; n += 8) {
            to |= (operator.applyAsInt((byte) (x >> n)) & 0xff) << n;
        }
        return to;
    }

    private static int signed(int x, int signs) {
        int to = 0;
        for (int n = 0; n < 32; n += 8) {
            to |= ((byte) (x >> n) * Integer.signum((byte) (signs >> n)) & 0xff) << n;
        }
        return to;
    }

    private static int rounded(int bits) {
        double value = Math.rint(f(bits));
        boolean fits = value >= Integer.MIN_VALUE && value <= Integer.MAX_VALUE;
        return fits ? (int) value : Integer.MIN_VALUE;
    }

    private static float f(int bits) {
        return Float.intBitsToFloat(bits);
    }

    private static int bits(float value) {
        return Float.floatToRawIntBits(value);
    }

    private IllegalStateException unknown(String what, int value) {
        return new IllegalStateException("%s %x at byte %d".formatted(what, value, ip));
    }
}
