package dev.penjing.cli;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;

/// The arrows between the rooms point downwards only. `sandbox` is not among them: it is on
/// nobody's class path, nor is any room on its own.
@AnalyzeClasses(packages = "dev.penjing", importOptions = ImportOption.DoNotIncludeTests.class)
class RoomsTest {
    @ArchTest
    static final ArchRule arrows =
            layeredArchitecture()
                    .consideringOnlyDependenciesInLayers()
                    .layer("model")
                    .definedBy("dev.penjing.model..")
                    .layer("inference")
                    .definedBy("dev.penjing.inference..")
                    .layer("world")
                    .definedBy("dev.penjing.world..")
                    .layer("evaluation")
                    .definedBy("dev.penjing.evaluation..")
                    .layer("compression")
                    .definedBy("dev.penjing.compression..")
                    .layer("server")
                    .definedBy("dev.penjing.server..")
                    .layer("cli")
                    .definedBy("dev.penjing.cli..")
                    .whereLayer("cli")
                    .mayNotBeAccessedByAnyLayer()
                    .whereLayer("server")
                    .mayOnlyBeAccessedByLayers("cli")
                    .whereLayer("inference")
                    .mayOnlyBeAccessedByLayers("server", "cli")
                    .whereLayer("world")
                    .mayOnlyBeAccessedByLayers("cli")
                    .whereLayer("evaluation")
                    .mayOnlyBeAccessedByLayers("cli")
                    .whereLayer("compression")
                    .mayOnlyBeAccessedByLayers("cli");

    @ArchTest
    static final ArchRule libtorchStaysInItsRoom =
            ArchRuleDefinition.noClasses()
                    .that()
                    .resideOutsideOfPackage("dev.penjing.compression..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("org.bytedeco..");

    @ArchTest
    static final ArchRule httpStaysInTheHub =
            ArchRuleDefinition.noClasses()
                    .that()
                    .resideOutsideOfPackage("dev.penjing.model.hub..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("java.net.http..");
}
