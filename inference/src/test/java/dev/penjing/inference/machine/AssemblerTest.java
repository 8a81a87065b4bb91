package dev.penjing.inference.machine;

import static dev.penjing.inference.machine.InstructionEncoder.at;
import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.machine.InstructionEncoder.Mem;
import dev.penjing.inference.machine.InstructionEncoder.Operand;
import dev.penjing.inference.machine.InstructionEncoder.Reg;
import dev.penjing.inference.machine.InstructionEncoder.Vec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/// Every instruction, with registers and addresses of every kind, against the bytes of GNU as 2.40,
/// which are in `assembler-forms.txt`. Where GNU as is on the PATH, it is asked again; with
/// `-Dpenjing.forms=FILE` its answers go to a file.
class AssemblerTest {
    private static final String FORMS = "assembler-forms.txt";

    @TempDir Path folder = Path.of("");

    /// Text in Intel's syntax and our bytes.
    private final Map<String, String> ours = new LinkedHashMap<>();

    private interface Two {
        void emit(Assembler a, Vec to, Operand from);
    }

    private interface Three {
        void emit(Assembler a, Vec to, Vec x, Operand y);
    }

    private void add(String text, Consumer<Assembler> emit) {
        Assembler a = new Assembler();
        emit.accept(a);
        ours.put(text, HexFormat.of().formatHex(a.code()));
    }

    private static String name(Reg r) {
        return r.name().toLowerCase(Locale.ROOT);
    }

    private static String name(Operand o, int bits) {
        return switch (o) {
            case Vec v -> (v.bits() == 512 ? "zmm" : v.bits() == 256 ? "ymm" : "xmm") + v.index();
            case Mem m ->
                    switch (bits) {
                                case 512 -> "zmmword ptr ";
                                case 256 -> "ymmword ptr ";
                                case 128 -> "xmmword ptr ";
                                case 64 -> "qword ptr ";
                                default -> "dword ptr ";
                            }
                            + "[%s%+d]".formatted(name(m.base()), m.displacement());
        };
    }

    /// Bases that need another byte, and displacements of none, one and four.
    private static List<Mem> addresses() {
        List<Mem> all = new ArrayList<>();
        for (Reg base : List.of(Reg.RAX, Reg.RSP, Reg.RBP, Reg.R12, Reg.R13)) {
            for (int d : new int[] {0, 4, -64, 100, 8128, 8192}) {
                all.add(at(base, d));
            }
        }
        return all;
    }

    private static final int[][] LOW = {{0, 1, 2}, {9, 3, 14}, {7, 12, 5}};
    private static final int[][] HIGH = {{17, 8, 30}, {31, 16, 7}, {5, 29, 18}};

    private static List<int[]> registers(int bits) {
        List<int[]> all = new ArrayList<>(List.of(LOW));
        if (bits == 512) {
            all.addAll(List.of(HIGH));
        }
        return all;
    }

    /// @param wide the name with 512 bits; empty if there is none
    private void three(String narrow, String wide, Three emit) {
        three(narrow, wide, "", emit);
    }

    private void three(String narrow, String wide, String rest, Three emit) {
        for (int bits : wide.isEmpty() ? new int[] {128, 256} : new int[] {128, 256, 512}) {
            String name = bits == 512 ? wide : narrow;
            List<Operand> thirds = new ArrayList<>();
            for (int[] r : registers(bits)) {
                thirds.clear();
                thirds.add(new Vec(r[2], bits));
                thirds.addAll(
                        r[0] == (bits == 512 ? 31 : 0) ? addresses() : addresses().subList(0, 2));
                Vec to = new Vec(r[0], bits);
                Vec x = new Vec(r[1], bits);
                for (Operand y : thirds) {
                    String text =
                            "%s %s,%s,%s%s"
                                    .formatted(name, name(to, 0), name(x, 0), name(y, bits), rest);
                    add(text, a -> emit.emit(a, to, x, y));
                }
            }
        }
    }

    /// @param register bits of a register that it comes from, for 512
    /// @param memory bits in memory, for 512; less than 64 for any
    private void two(String narrow, String wide, int register, int memory, Two emit) {
        for (int bits : wide.isEmpty() ? new int[] {128, 256} : new int[] {128, 256, 512}) {
            String name = bits == 512 ? wide : narrow;
            int from = register < 256 ? register : register * bits / 512;
            int length = memory < 64 ? memory : memory * bits / 512;
            for (int[] r : registers(bits)) {
                Vec to = new Vec(r[0], bits);
                Vec x = new Vec(r[2], Math.max(128, from));
                add(
                        "%s %s,%s".formatted(name, name(to, 0), name(x, 0)),
                        a -> emit.emit(a, to, new Vec(x.index(), bits)));
                for (Mem m :
                        r[0] == (bits == 512 ? 31 : 0) ? addresses() : addresses().subList(0, 2)) {
                    add(
                            "%s %s,%s".formatted(name, name(to, 0), name(m, length)),
                            a -> emit.emit(a, to, m));
                }
            }
        }
    }

    private void wholeNumbers() {
        for (Reg r : Reg.values()) {
            add("push " + name(r), a -> a.push(r));
            add("pop " + name(r), a -> a.pop(r));
            add(
                    "movabs %s,0x123456789abcdef0".formatted(name(r)),
                    a -> a.mov(r, 0x123456789abcdef0L));
            String half = r.ordinal() > 7 ? name(r) + "d" : name(r).replaceFirst("r", "e");
            add("mov %s,0x12345678".formatted(half), a -> a.mov32(r, 0x12345678));
            add("mov dword ptr [r9+8],%s".formatted(half), a -> a.mov32(at(Reg.R9, 8), r));
            for (Reg s : List.of(Reg.RAX, Reg.RSP, Reg.R13)) {
                add("mov %s,%s".formatted(name(r), name(s)), a -> a.mov(r, s));
                add("add %s,%s".formatted(name(r), name(s)), a -> a.add(r, s));
            }
            for (int value : new int[] {1, -64, 127, 128, 5000}) {
                add("add %s,%d".formatted(name(r), value), a -> a.add(r, value));
                add("sub %s,%d".formatted(name(r), value), a -> a.sub(r, value));
                add("and %s,%d".formatted(name(r), value), a -> a.and(r, value));
                add("cmp %s,%d".formatted(name(r), value), a -> a.cmp(r, value));
            }
        }
        for (Mem m : addresses()) {
            add("mov rcx," + name(m, 64), a -> a.mov(Reg.RCX, m));
            add(
                    "prefetcht0 byte ptr [%s%+d]".formatted(name(m.base()), m.displacement()),
                    a -> a.prefetcht0(m));
        }
        add("cpuid", Assembler::cpuid);
        add("xgetbv", Assembler::xgetbv);
        add("ret", Assembler::ret);
        add("vzeroupper", Assembler::vzeroupper);
    }

    private void vectors() {
        two("vmovups", "vmovups", 512, 512, Assembler::vmovups);
        for (int bits : new int[] {128, 256, 512}) {
            for (int[] r : registers(bits)) {
                Vec from = new Vec(r[0], bits);
                for (Mem m : addresses()) {
                    add(
                            "vmovups %s,%s".formatted(name(m, bits), name(from, 0)),
                            a -> a.vmovups(m, from));
                }
            }
        }
        for (int[] r : LOW) {
            Vec x = new Vec(r[0], 128);
            add("vmovd xmm%d,eax".formatted(r[0]), a -> a.vmovd(x, Reg.RAX));
            add("vmovd xmm%d,r9d".formatted(r[0]), a -> a.vmovd(x, Reg.R9));
            for (Mem m : addresses()) {
                add("vmovd %s,xmm%d".formatted(name(m, 32), r[0]), a -> a.vmovd(m, x));
            }
            add(
                    "vextracti128 xmm%d,ymm%d,1".formatted(r[1], r[2]),
                    a -> a.vextracti128(new Vec(r[1], 128), new Vec(r[2], 256)));
            Vec y = new Vec(r[1], 256);
            Vec order = new Vec(r[0], 256);
            add(
                    "vpermd ymm%d,ymm%d,ymm%d".formatted(r[1], r[0], r[2]),
                    a -> a.vpermd(y, order, new Vec(r[2], 256)));
            add("vpshufd ymm%d,ymm%d,78".formatted(r[0], r[1]), a -> a.vpshufd(order, y, 78));
            for (int bits : new int[] {256, 512}) {
                shifts(r, bits);
            }
        }
        for (int[] r : HIGH) {
            shifts(r, 512);
        }
        two("vpbroadcastd", "vpbroadcastd", 128, 32, Assembler::vpbroadcastd);
        three("vpand", "vpandd", Assembler::vpand);
        three("vpor", "vpord", Assembler::vpor);
        three("vpxor", "vpxord", Assembler::vpxor);
        three("vpaddd", "vpaddd", Assembler::vpaddd);
        three("vpsubd", "vpsubd", Assembler::vpsubd);
        three("vpaddw", "vpaddw", Assembler::vpaddw);
        three("vpmaxsd", "vpmaxsd", Assembler::vpmaxsd);
        three("vpmaddwd", "vpmaddwd", Assembler::vpmaddwd);
        three("vpmaddubsw", "vpmaddubsw", Assembler::vpmaddubsw);
        three("{vex} vpdpbusd", "vpdpbusd", Assembler::vpdpbusd);
        two("vpabsb", "vpabsb", 512, 512, Assembler::vpabsb);
        three("vpshufb", "vpshufb", Assembler::vpshufb);
        three("vpsignb", "", Assembler::vpsignb);
        three("vpackssdw", "vpackssdw", Assembler::vpackssdw);
        three("vpacksswb", "vpacksswb", Assembler::vpacksswb);
        two("vcvtdq2ps", "vcvtdq2ps", 512, 512, Assembler::vcvtdq2ps);
        two("vcvtps2dq", "vcvtps2dq", 512, 512, Assembler::vcvtps2dq);
        two("vcvtph2ps", "vcvtph2ps", 256, 256, Assembler::vcvtph2ps);
        three("vaddps", "vaddps", Assembler::vaddps);
        three("vmulps", "vmulps", Assembler::vmulps);
        three("vdivps", "vdivps", Assembler::vdivps);
        three("vfmadd231ps", "vfmadd231ps", Assembler::vfmadd231ps);
        three("vfmadd213ps", "vfmadd213ps", Assembler::vfmadd213ps);
        three("vcmpps", "", ",5", Assembler::vcmpnltps);
    }

    private void shifts(int[] r, int bits) {
        Vec to = new Vec(r[0], bits);
        Vec from = new Vec(r[1], bits);
        String operands = "%s,%s,3".formatted(name(to, 0), name(from, 0));
        add("vpsrld " + operands, a -> a.vpsrld(to, from, 3));
        add("vpsrad " + operands, a -> a.vpsrad(to, from, 3));
        add("vpslld " + operands, a -> a.vpslld(to, from, 3));
    }

    private void all() {
        wholeNumbers();
        vectors();
    }

    @Test
    void bytesAreThoseOfGnuAs() throws IOException {
        all();
        Map<String, String> expected = new LinkedHashMap<>();
        try (var in = AssemblerTest.class.getResourceAsStream(FORMS)) {
            assertThat(in).isNotNull();
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            text.lines().forEach(line -> expected.put(line.split("\t")[0], line.split("\t")[1]));
        }
        assertThat(expected.size()).isGreaterThan(2_000);
        assertSame(ours, expected);
    }

    private static void assertSame(Map<String, String> ours, Map<String, String> theirs) {
        List<String> different = new ArrayList<>();
        ours.forEach((text, bytes) -> {
            if (!bytes.equals(theirs.get(text))) {
                different.add("%s: %s, not %s".formatted(text, bytes, theirs.get(text)));
            }
        });
        assertThat(different).isEmpty();
        assertThat(theirs).hasSameSizeAs(ours);
    }

    /// GNU's, not the one of LLVM, and not older than AVX-VNNI.
    static boolean hasAs() {
        try {
            Process as = new ProcessBuilder("as", "--version").redirectErrorStream(true).start();
            String said = new String(as.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            Matcher version = Pattern.compile("GNU assembler.* 2\\.(\\d+)").matcher(said);
            return version.find() && Integer.parseInt(version.group(1)) >= 38;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    @EnabledIf("hasAs")
    void gnuAsSaysTheSameToday() throws IOException, InterruptedException {
        all();
        Path source = folder.resolve("forms.s");
        Path listing = folder.resolve("forms.lst");
        Files.writeString(
                source, ".intel_syntax noprefix\n" + String.join("\n", ours.keySet()) + "\n");
        Process as =
                new ProcessBuilder(
                                "as",
                                "--64",
                                "-aln=" + listing,
                                "--listing-lhs-width=8",
                                "-o",
                                folder.resolve("forms.o").toString(),
                                source.toString())
                        .inheritIO()
                        .start();
        assertThat(as.waitFor()).isZero();
        List<String> texts = new ArrayList<>(ours.keySet());
        Map<String, String> theirs = new LinkedHashMap<>();
        for (String line : Files.readAllLines(listing)) {
            // the line's number, its place, its bytes, its text
            String[] parts = line.strip().split("\\s+");
            if (parts.length > 3 && parts[1].matches("[0-9a-f]{4}")) {
                String bytes = line.substring(10, line.indexOf('\t')).replace(" ", "");
                theirs.put(
                        texts.get(Integer.parseInt(parts[0]) - 2), bytes.toLowerCase(Locale.ROOT));
            }
        }
        String file = System.getProperty("penjing.forms", "");
        if (!file.isEmpty()) {
            List<String> lines = new ArrayList<>();
            theirs.forEach((text, bytes) -> lines.add(text + "\t" + bytes));
            Files.write(Path.of(file), lines);
        }
        assertSame(ours, theirs);
    }

    @Test
    void jumpsFindTheirLabels() {
        for (boolean back : new boolean[] {true, false}) {
            Assembler a = new Assembler();
            InstructionEncoder.Label label = new InstructionEncoder.Label();
            if (back) {
                a.bind(label);
            }
            a.jmp(label);
            a.jne(label);
            a.je(label);
            if (!back) {
                a.bind(label);
            }
            String expected =
                    back
                            ? "e9fbffffff" + "0f85f5ffffff" + "0f84efffffff"
                            : "e90c000000" + "0f8506000000" + "0f8400000000";
            assertThat(HexFormat.of().formatHex(a.code())).isEqualTo(expected);
        }
    }
}
