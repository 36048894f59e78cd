package io.github.consullock.interop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The Go examples of the documentation are those of the program that the tests run.
 */
class GoDocsExamplesTests {

	private static final Pattern BLOCK = Pattern.compile("(<!-- go-example: (\\S+)#(\\S+) -->\n)?```go\n(.*?)```",
			Pattern.DOTALL);

	@Test
	void everyGoBlockIsWhatIsTested() throws IOException {
		List<String> names = new ArrayList<>();
		try (var pages = Files.list(Path.of("../docs"))) {
			for (Path page : pages.filter((file) -> file.toString().endsWith(".md")).toList()) {
				Matcher block = BLOCK.matcher(Files.readString(page));
				while (block.find()) {
					assertThat(block.group(1)).as("the source of a Go block in %s", page).isNotNull();
					assertThat(block.group(4)).as("%s in %s", block.group(3), page)
						.isEqualTo(example(block.group(2), block.group(3)));
					names.add(block.group(3));
				}
			}
		}
		assertThat(names).contains("lock", "semaphore", "token");
	}

	private static String example(String file, String name) throws IOException {
		String source = Files.readString(Path.of("src/test/go/lockdriver", file));
		int start = source.indexOf("// tag::" + name + "[]\n");
		int end = source.indexOf("// end::" + name + "[]\n");
		assertThat(start).as("%s in %s", name, file).isNotNegative().isLessThan(end);
		return source.substring(source.indexOf('\n', start), end).strip() + "\n";
	}

}
