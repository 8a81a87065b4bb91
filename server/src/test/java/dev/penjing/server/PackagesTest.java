package dev.penjing.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// How the room's packages stand on each other.
class PackagesTest {
    private static final JavaClasses MAIN =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.penjing.server");

    @Test
    void noCycles() {
        slices().matching("dev.penjing.server.(**)").should().beFreeOfCycles().check(MAIN);
    }

    /// The root wires the others together.
    @Test
    void nothingStandsOnTheRoot() {
        noClasses()
                .that()
                .resideInAPackage("dev.penjing.server.*..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.penjing.server")
                .check(MAIN);
    }

    /// Connections and requests know nothing of models.
    @Test
    void httpStandsAlone() {
        noClasses()
                .that()
                .resideInAPackage("dev.penjing.server.http..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.penjing.inference..",
                        "dev.penjing.server.models..",
                        "dev.penjing.server.openai..")
                .check(MAIN);
    }

    @Test
    void noCycleOfClassesInHttp() {
        slices().matching("dev.penjing.server.http.(*)")
                .namingSlices("$1")
                .should()
                .beFreeOfCycles()
                .allowEmptyShould(true)
                .check(MAIN);
    }
}
