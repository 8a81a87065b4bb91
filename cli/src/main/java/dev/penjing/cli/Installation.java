package dev.penjing.cli;

import dev.penjing.model.PenjingException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The folder that Penjing lies in, and the one place that knows what lies where in it. The
/// launcher names it in the property `penjing.home`.
///
/// | what | in a source tree | in a package |
/// | --- | --- | --- |
/// | the bundled teacher | `teacher` | `share/teacher` |
/// | the sandbox's class path | `sandbox/target/classes`, `sandbox/target/app/*` | `lib/sandbox/*` |
/// | Python's own library, unpacked | `sandbox/target/python` | in Penjing's cache |
record Installation(Path home) {
    static Installation current() {
        return new Installation(Path.of(System.getProperty("penjing.home", ".")));
    }

    /// @throws PenjingException if it is not there
    Path teacher() {
        for (String place : new String[] {"teacher", "share/teacher"}) {
            Path teacher = home.resolve(place);
            if (Files.exists(teacher.resolve("config.json"))) {
                return teacher;
            }
        }
        throw new PenjingException(
                "the bundled teacher is not in %s: start Penjing by its own program, ./penjing"
                        .formatted(home.toAbsolutePath().normalize()));
    }

    /// Where the sandbox's program and libraries lie.
    ///
    /// @param library a folder for Python's own library, filled when it is first needed
    record SandboxFiles(String classPath, Path library) {}

    /// @throws PenjingException if the sandbox was neither built nor packaged
    SandboxFiles sandbox() {
        Path packaged = home.resolve("lib/sandbox");
        if (Files.isDirectory(packaged)) {
            return new SandboxFiles(packaged + "/*", ModelSources.cache().resolve("python"));
        }
        Path target = home.resolve("sandbox/target");
        Path classes = target.resolve("classes");
        if (!Files.isRegularFile(classes.resolve("dev/penjing/sandbox/Main.class"))
                || !Files.isDirectory(target.resolve("app"))) {
            throw new PenjingException(
                    "the sandbox for Python programs is not built: run './penjing sandbox' in "
                            + home.toAbsolutePath().normalize()
                            + " (downloads 160 MB, once)");
        }
        return new SandboxFiles(
                classes + java.io.File.pathSeparator + target.resolve("app") + "/*",
                target.resolve("python"));
    }

    /// The launcher that builds what is missing or older than its sources, where Penjing lies in a
    /// source tree.
    boolean buildsItself() {
        return Files.isExecutable(launcher())
                && Files.isRegularFile(home.resolve("sandbox/pom.xml"));
    }

    Path launcher() {
        return home.resolve("penjing").toAbsolutePath();
    }
}
