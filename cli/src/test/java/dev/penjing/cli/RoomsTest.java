package dev.penjing.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.CompositeArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What the rooms may know of each other, held on their class files. Each rule is also shown to
/// fail, on the few classes of package `fallen`, which break all of them.
///
/// `sandbox` and `bench` are on nobody's class path, so nothing can depend on them, and Maven does
/// not hand their classes to this test.
class RoomsTest {
    private static final String HOUSE = "dev.penjing";
    private static final String FALLEN = "dev.penjing.cli.fallen";

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages(HOUSE);
    private static final JavaClasses BROKEN = new ClassFileImporter().importPackages(FALLEN);

    /// Packages whose types are public only so that other packages of their room can use them.
    private static final List<String> IMPLEMENTATIONS =
            List.of(
                    "inference.kernel",
                    "inference.machine",
                    "inference.scheduling",
                    "inference.cache",
                    "inference.forward",
                    "inference.sampling",
                    "inference.speculation",
                    "inference.scoring");

    /// @param of makes the rule for the rooms below a package
    private record Rule(String name, Function<String, ArchRule> of) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static List<Rule> rules() {
        return List.of(
                new Rule("arrows between rooms point downwards", RoomsTest::arrows),
                new Rule("no circle of packages", RoomsTest::noCircleOfPackages),
                new Rule("libtorch stays in compression", RoomsTest::libtorchStaysInItsRoom),
                new Rule("HTTP clients stay in the hub", RoomsTest::httpStaysInTheHub),
                new Rule("a room's own packages stay its own", RoomsTest::ownPackages));
    }

    @ParameterizedTest
    @MethodSource("rules")
    void theHouseHolds(Rule rule) {
        rule.of().apply(HOUSE).check(CLASSES);
    }

    @ParameterizedTest
    @MethodSource("rules")
    void theRuleCanFail(Rule rule) {
        assertThat(rule.of().apply(FALLEN).evaluate(BROKEN).hasViolation()).isTrue();
    }

    /// A filter that took everything for a test would let every rule pass.
    @Test
    void allRoomsAreRead() {
        for (String room :
                List.of(
                        "model",
                        "world",
                        "compression",
                        "evaluation",
                        "inference",
                        "server",
                        "cli")) {
            assertThat(CLASSES.stream().map(JavaClass::getPackageName))
                    .anyMatch(name -> (name + ".").startsWith(HOUSE + "." + room + "."));
        }
    }

    private static ArchRule arrows(String house) {
        return layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
                .layer("model")
                .definedBy(house + ".model..")
                .layer("inference")
                .definedBy(house + ".inference..")
                .layer("world")
                .definedBy(house + ".world..")
                .layer("evaluation")
                .definedBy(house + ".evaluation..")
                .layer("compression")
                .definedBy(house + ".compression..")
                .layer("server")
                .definedBy(house + ".server..")
                .layer("cli")
                .definedBy(house + ".cli..")
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
    }

    private static ArchRule noCircleOfPackages(String house) {
        SliceAssignment byPackage =
                new SliceAssignment() {
                    @Override
                    public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
                        String name = javaClass.getPackageName();
                        return (name + ".").startsWith(house + ".")
                                ? SliceIdentifier.of(name)
                                : SliceIdentifier.ignore();
                    }

                    @Override
                    public String getDescription() {
                        return "packages";
                    }
                };
        return SlicesRuleDefinition.slices().assignedFrom(byPackage).should().beFreeOfCycles();
    }

    /// `bench` times kernels one by one. Settings name weight formats.
    private static ArchRule ownPackages(String house) {
        return CompositeArchRule.of(
                IMPLEMENTATIONS.stream()
                        .map(implementation -> {
                            String room = implementation.substring(0, implementation.indexOf('.'));
                            return (ArchRule)
                                    noClasses()
                                            .that(
                                                    not(
                                                            resideInAnyPackage(
                                                                    house + "." + room + "..",
                                                                    house + ".bench..")))
                                            .should()
                                            .dependOnClassesThat(
                                                    resideInAnyPackage(
                                                                    house
                                                                            + "."
                                                                            + implementation
                                                                            + "..")
                                                            .and(not(simpleName("WeightFormat"))));
                        })
                        .toList());
    }

    private static ArchRule libtorchStaysInItsRoom(String house) {
        return noClasses()
                .that(not(resideInAnyPackage(house + ".compression..")))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.bytedeco..");
    }

    /// `bench` asks the servers that it compares.
    private static ArchRule httpStaysInTheHub(String house) {
        return noClasses()
                .that(not(resideInAnyPackage(house + ".model.hub..", house + ".bench..")))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.net.http..");
    }
}
