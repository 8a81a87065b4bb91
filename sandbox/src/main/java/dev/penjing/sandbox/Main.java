package dev.penjing.sandbox;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.LinkedBlockingQueue;

/// Runs programs that arrive on standard input, and says on standard output what became of them. In
/// the order of `DataInput`:
///
/// - first out, once, when programs can be run: `long` [#READY]
/// - in, for each program: `long` number, `long` nanoseconds that it may compute, `long`
///   nanoseconds that may pass, `int` length, its UTF-8 bytes
/// - out, for each program: `long` its number, `byte` 1 if it passed, `int` length, the reason's
///   UTF-8 bytes
///
/// It ends, whatever runs, as soon as standard input does.
public final class Main {
    static final long READY = 0x50656e6a696e6732L;
    private static final int LONGEST_PROGRAM = 16 << 20;

    private record Request(long number, long cpuNanos, long wallNanos, String program) {}

    private Main() {}

    /// @param args the working directory, which is removed at the end if it is empty
    public static void main(String[] args) throws IOException, InterruptedException {
        var in = new DataInputStream(new FileInputStream(FileDescriptor.in));
        var out =
                new DataOutputStream(
                        new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)));
        // what else prints does not come between
        System.setOut(System.err);
        System.setIn(InputStream.nullInputStream());

        var requests = new LinkedBlockingQueue<Request>();
        Thread.ofPlatform().daemon().name("requests").start(() -> read(in, requests, args));

        var interpreter = new PythonInterpreter();
        // the first context takes seconds: spent before the first program's clock starts
        interpreter.run(
                "import math, re, collections, typing; set({1})", Long.MAX_VALUE, Long.MAX_VALUE);
        out.writeLong(READY);
        out.flush();
        while (true) {
            Request request = requests.take();
            Verdict verdict =
                    interpreter.run(request.program(), request.cpuNanos(), request.wallNanos());
            byte[] reason = verdict.line().getBytes(StandardCharsets.UTF_8);
            out.writeLong(request.number());
            out.writeByte(verdict.passed() ? 1 : 0);
            out.writeInt(reason.length);
            out.write(reason);
            out.flush();
        }
    }

    private static void read(
            DataInputStream in, LinkedBlockingQueue<Request> requests, String[] args) {
        try {
            while (true) {
                long number = in.readLong();
                long cpuNanos = in.readLong();
                long wallNanos = in.readLong();
                int length = in.readInt();
                if (length < 0 || length > LONGEST_PROGRAM) {
                    break;
                }
                byte[] program = new byte[length];
                in.readFully(program);
                requests.add(
                        new Request(
                                number,
                                cpuNanos,
                                wallNanos,
                                new String(program, StandardCharsets.UTF_8)));
            }
        } catch (IOException e) {
            // nobody is there any more
        } finally {
            leave(args);
        }
    }

    /// Ends at once: a program that runs may not notice anything less.
    private static void leave(String[] args) {
        try {
            if (args.length > 0) {
                Files.deleteIfExists(Path.of(args[0]));
            }
        } catch (IOException e) {
            // not empty, or gone already
        } finally {
            Runtime.getRuntime().halt(0);
        }
    }
}
