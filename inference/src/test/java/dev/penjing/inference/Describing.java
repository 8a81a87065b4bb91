package dev.penjing.inference;

import dev.penjing.model.Progress;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// A program that loads the bundled teacher and says what computes it. With the argument `mdwe` it
/// first asks Linux for a process without new executable memory, as hardened services do
/// (`PR_SET_MDWE`), and says `unknown` where Linux does not know that.
public final class Describing {
    private static final int PR_SET_MDWE = 65;
    private static final long REFUSE_EXEC_GAIN = 1;

    private Describing() {}

    public static void main(String[] args) throws Throwable {
        if (args.length > 0 && !refuseCode()) {
            System.out.println("unknown");
            return;
        }
        Path teacher = Path.of("..", "teacher");
        EngineOptions options = EngineOptions.DEFAULT.withThreads(1);
        try (Engine engine = Engine.load(teacher, options, Progress.NONE)) {
            System.out.println(engine.describe());
        }
    }

    private static boolean refuseCode() throws Throwable {
        FunctionDescriptor type =
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG);
        Linker linker = Linker.nativeLinker();
        int refused =
                (int)
                        linker.downcallHandle(
                                        linker.defaultLookup().findOrThrow("prctl"),
                                        type,
                                        Linker.Option.firstVariadicArg(1))
                                .invokeExact(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0L, 0L, 0L);
        return refused == 0;
    }
}
