package dev.penjing.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import org.junit.jupiter.api.Test;

/// How the room's packages stand on each other.
class PackagesTest {
    private static final JavaClasses MAIN =
            new ClassFileImporter()
                    .withImportOption(location -> !location.contains("/test"))
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

    /// Nor do its classes stand on each other in a circle.
    @Test
    void noCycleOfClassesInHttp() {
        slices().assignedFrom(new OneByOne("dev.penjing.server.http"))
                .should()
                .beFreeOfCycles()
                .check(MAIN);
    }

    /// A slice for each file of a package.
    private record OneByOne(String name) implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
            if (!type.getPackageName().equals(name)) {
                return SliceIdentifier.ignore();
            }
            String nested = type.getName().substring(name.length() + 1);
            return SliceIdentifier.of(nested.replaceFirst("\\$.*", ""));
        }

        @Override
        public String getDescription() {
            return "the classes of " + name;
        }
    }
}
