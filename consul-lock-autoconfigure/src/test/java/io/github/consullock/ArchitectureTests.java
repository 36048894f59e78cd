package io.github.consullock;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

/**
 * The order of the packages: each uses only those named before it.
 */
@AnalyzeClasses(packages = "io.github.consullock", importOptions = DoNotIncludeTests.class)
class ArchitectureTests {

	private static final String ROOT = "io.github.consullock";

	private static final String TEST_SERVER = ROOT + ".testserver..";

	@ArchTest
	final ArchRule packagesUseOnlyThoseBelowThem = Architectures.layeredArchitecture()
		.consideringOnlyDependenciesInAnyPackage(ROOT + "..")
		.withOptionalLayers(true)
		.layer("api")
		.definedBy(ROOT)
		.layer("consul")
		.definedBy(ROOT + ".consul..")
		.layer("session")
		.definedBy(ROOT + ".session..")
		.layer("lock")
		.definedBy(ROOT + ".lock..")
		.layer("annotation")
		.definedBy(ROOT + ".annotation..")
		.layer("optional")
		.definedBy(ROOT + ".actuate..", ROOT + ".integration..")
		.layer("autoconfigure")
		.definedBy(ROOT + ".autoconfigure..")
		.whereLayer("api")
		.mayNotAccessAnyLayer()
		.whereLayer("consul")
		.mayOnlyAccessLayers("api")
		.whereLayer("session")
		.mayOnlyAccessLayers("api", "consul")
		.whereLayer("lock")
		.mayOnlyAccessLayers("api", "consul", "session")
		.whereLayer("annotation")
		.mayOnlyAccessLayers("api", "consul", "session", "lock")
		.whereLayer("optional")
		.mayOnlyAccessLayers("api", "consul", "session", "lock", "annotation")
		.whereLayer("autoconfigure")
		.mayNotBeAccessedByAnyLayer();

	@ArchTest
	final ArchRule everyClassIsInANamedPackage = classes().that()
		.resideOutsideOfPackage(TEST_SERVER)
		.should()
		.resideInAnyPackage(ROOT, ROOT + ".consul..", ROOT + ".session..", ROOT + ".lock..", ROOT + ".annotation..",
				ROOT + ".actuate..", ROOT + ".integration..", ROOT + ".autoconfigure..");

	@ArchTest
	final ArchRule noPackagesDependOnEachOther = SlicesRuleDefinition.slices()
		.matching(ROOT + ".(*)..")
		.should()
		.beFreeOfCycles();

	@ArchTest
	final ArchRule nothingShippedDependsOnTheTestServer = noClasses().that()
		.resideOutsideOfPackage(TEST_SERVER)
		.should()
		.dependOnClassesThat()
		.resideInAPackage(TEST_SERVER);

}
