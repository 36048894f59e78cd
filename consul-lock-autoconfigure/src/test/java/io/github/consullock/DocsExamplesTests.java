package io.github.consullock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the documentation shows is what the tests run.
 */
class DocsExamplesTests {

	private static final Path PROJECT = Path.of("..");

	private static final String TESTED = """
			class OrderTests {
				@Test
				void ships() {
					// tag::outer[]
					ship(
						// tag::inner[]
							42
						// end::inner[]
					);

					done();
					// end::outer[]
					// tag::open[]
					check();
					// end::open[]
					// tag::parts[]
					first();
					// end::parts[]
					check();
					// tag::parts[]
					second();
					// end::parts[]
					// tag::open[]
				}
			}
			""";

	@TempDir
	private Path folder;

	@Test
	void everyExampleOfTheDocumentationIsThatOfATest() {
		assertThat(new DocsExamples(PROJECT).faults()).isEmpty();
	}

	@Test
	void everyPageIsInTheIndex() throws IOException {
		String index = Files.readString(PROJECT.resolve("docs/index.md"));
		for (Path page : new DocsExamples(PROJECT).pages()) {
			Path name = page.getFileName();
			if (page.getParent().endsWith("docs") && !name.endsWith("index.md")) {
				assertThat(index).containsOnlyOnce("](" + name + ")");
			}
		}
	}

	@Test
	void aBlockMayBeIndentedOtherwiseThanItsSourceAndHasNoTags() throws IOException {
		source("OrderTests.java", TESTED);
		assertThat(faults("<!-- example: OrderTests#outer -->", "java", "ship(\n\t\t42\n);\n\ndone();")).isEmpty();
		assertThat(faults("  <!-- example: OrderTests#inner -->", "Java", "  42")).isEmpty();
		assertThat(faults("<!-- example: OrderTests#parts -->", "java", "first();\nsecond();")).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "ship(\n\t\t43\n);\n\ndone();", "ship(\n\t\t42\n);\ndone();", "ship(\n\t42\n);\n\ndone();",
			"ship(\n\t\t42\n);", "" })
	void aBlockThatDiffersFromItsSourceIsAFault(String block) throws IOException {
		source("OrderTests.java", TESTED);
		assertThat(faults("<!-- example: OrderTests#outer -->", "java", block)).singleElement()
			.asString()
			.startsWith("docs/page.md:3: the block is not OrderTests#outer");
	}

	@ParameterizedTest
	@CsvSource({ "OrderTests#other, no tag and end", "OrderTests#open, no tag and end",
			"Order#outer, to be one test source", "NoTests#outer, no test that is run",
			"Fixture#outer, no test that is run" })
	void aMarkerOfWhatIsNotTestedIsAFault(String marker, String fault) throws IOException {
		source("OrderTests.java", TESTED);
		source("NoTests.java", TESTED.replace("@Test", ""));
		source("Fixture.java", TESTED);
		assertThat(faults("<!-- example: " + marker + " -->", "java", "ship(\n\t\t42\n);\n\ndone();")).singleElement()
			.asString()
			.contains(fault);
	}

	@Test
	void aNameThatTwoSourcesHaveIsAFault() throws IOException {
		source("OrderTests.java", TESTED);
		source("other/OrderTests.java", TESTED);
		assertThat(faults("<!-- example: OrderTests#inner -->", "java", "42")).singleElement()
			.asString()
			.contains("there are 2");
	}

	@ParameterizedTest
	@ValueSource(strings = { "java", "kotlin", "go" })
	void aBlockOfCodeWithoutMarkerIsAFault(String language) throws IOException {
		assertThat(faults("", language, "42")).singleElement().asString().contains("names no test");
	}

	@ParameterizedTest
	@ValueSource(strings = { "yaml", "xml", "bash", "" })
	void otherBlocksNeedNone(String language) throws IOException {
		assertThat(faults("", language, "42")).isEmpty();
	}

	@Test
	void aMarkerThatIsNotRightBeforeABlockIsAFault() throws IOException {
		source("OrderTests.java", TESTED);
		assertThat(faults("<!-- example: OrderTests#inner -->\n", "java", "42")).hasSize(2);
		assertThat(faults("<!-- example: OrderTests#inner -->\n", "yaml", "42")).hasSize(1);
	}

	@Test
	void kotlinAndGoAreComparedAsWell() throws IOException {
		source("SuspendTests.kt", TESTED);
		source("example.go", "// tag::lock[]\n\n// whileLocked runs.\nfunc whileLocked() {\n}\n\n// end::lock[]\n");
		assertThat(faults("<!-- example: SuspendTests#inner -->", "kotlin", "42")).isEmpty();
		String block = "// whileLocked runs.\nfunc whileLocked() {\n}";
		assertThat(faults("<!-- example: example.go#lock -->", "go", block)).isEmpty();
		assertThat(faults("<!-- example: example.go#lock -->", "go", block.replace("runs", "walks"))).hasSize(1);
	}

	private void source(String name, String text) throws IOException {
		Path file = this.folder.resolve("module/src/test/java").resolve(name);
		Files.createDirectories(file.getParent());
		Files.writeString(file, text);
	}

	private List<String> faults(String marker, String language, String block) throws IOException {
		Files.createDirectories(this.folder.resolve("docs"));
		Files.writeString(this.folder.resolve("docs/page.md"),
				"A page.\n" + marker + "\n```" + language + "\n" + block + "\n```\n");
		return new DocsExamples(this.folder).faults();
	}

}
