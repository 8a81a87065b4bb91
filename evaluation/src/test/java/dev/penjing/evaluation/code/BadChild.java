package dev.penjing.evaluation.code;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// A child process that answers without running anything; a program's first word says how.
final class BadChild {
    private static final long READY = 0x50656e6a696e6732L;

    private BadChild() {}

    public static void main(String[] args) throws Exception {
        var in = new DataInputStream(System.in);
        var out = new DataOutputStream(System.out);
        out.writeLong(READY);
        out.flush();
        while (true) {
            long number = in.readLong();
            in.readLong();
            in.readLong();
            String program = new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
            switch (program.lines().findFirst().orElse("")) {
                case "pass" -> answer(out, number, "");
                case "another number" -> answer(out, number + 1, "");
                case "garbage" -> {
                    out.write("passed\n".repeat(10).getBytes(StandardCharsets.US_ASCII));
                    out.flush();
                }
                case "endless answer" -> {
                    out.writeLong(number);
                    out.writeByte(1);
                    out.writeInt(Integer.MAX_VALUE);
                    out.flush();
                }
                case "talk" -> {
                    for (int i = 0; i < 10_000; i++) {
                        System.err.println("a line that nobody wants to read");
                    }
                    answer(out, number, "");
                }
                case "die" -> {
                    System.err.println("I had enough");
                    System.exit(7);
                }
                case "die later" -> {
                    answer(out, number, "");
                    in.readLong();
                    System.exit(7);
                }
                case "out of memory" -> System.exit(3);
                case "twice" -> {
                    answer(out, number, "no");
                    answer(out, number, "");
                }
                default -> Thread.sleep(Long.MAX_VALUE); // silence
            }
        }
    }

    private static void answer(DataOutputStream out, long number, String reason)
            throws IOException {
        out.writeLong(number);
        out.writeByte(reason.isEmpty() ? 1 : 0);
        out.writeInt(reason.length());
        out.write(reason.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    /// Does not even start well.
    static final class Garbage {
        private Garbage() {}

        public static void main(String[] args) {
            System.out.println("Hello, world, this is no protocol");
        }
    }

    /// Ends before it is ready.
    static final class Dies {
        private Dies() {}

        public static void main(String[] args) {
            throw new IllegalStateException("nothing works here");
        }
    }

    /// Is never ready, and reads nothing.
    static final class Silent {
        private Silent() {}

        public static void main(String[] args) throws InterruptedException {
            Thread.sleep(Long.MAX_VALUE);
        }
    }

    /// Is ready, and reads nothing.
    static final class Deaf {
        private Deaf() {}

        public static void main(String[] args) throws Exception {
            var out = new DataOutputStream(System.out);
            out.writeLong(READY);
            out.flush();
            Thread.sleep(Long.MAX_VALUE);
        }
    }
}
