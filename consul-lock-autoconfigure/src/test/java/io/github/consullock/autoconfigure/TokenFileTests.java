package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.awaitility.Awaitility.await;

@ExtendWith(OutputCaptureExtension.class)
class TokenFileTests {

	@TempDir
	Path directory;

	@Test
	void theTokenIsTheFilesTextWithoutItsLineEnd() throws IOException {
		assertThat(new TokenFile(file("one\n")).get()).isEqualTo("one");
	}

	@Test
	void aRotatedTokenIsReadThoughItIsAsLongAsTheOldOne() throws IOException {
		Path file = file("one");
		TokenFile token = new TokenFile(file);
		assertThat(token.get()).isEqualTo("one");
		Files.writeString(file, "two");
		await().until(token::get, "two"::equals);
	}

	@Test
	void theLastTokenServesWhileTheFileIsGoneAndTheNextOnceItIsBack(CapturedOutput output) throws IOException {
		Path file = file("one");
		TokenFile token = new TokenFile(file);
		Files.delete(file);
		await().until(() -> {
			assertThat(token.get()).isEqualTo("one");
			return output.getOut().contains("going on with the token it held before");
		});
		Files.writeString(file, "two");
		await().until(token::get, "two"::equals);
	}

	@Test
	void aFileThatIsGoneForLongIsLoggedOnceWithoutATrace(CapturedOutput output) throws IOException {
		Path file = file("one");
		TokenFile token = new TokenFile(file);
		Files.delete(file);
		Instant end = Instant.now().plusSeconds(3);
		await().until(() -> token.get() != null && Instant.now().isAfter(end));
		assertThat(output.getOut()).containsOnlyOnce("cannot be read").doesNotContain("\tat ");
		Files.writeString(file, "two");
		await().until(token::get, "two"::equals);
		assertThat(output.getOut()).containsOnlyOnce("can be read again");
	}

	@Test
	void anEmptyFileHoldsNoToken() throws IOException {
		Path file = file(" \n");
		assertThatIOException().isThrownBy(() -> new TokenFile(file)).withMessageContaining("empty");
	}

	private Path file(String content) throws IOException {
		return Files.writeString(this.directory.resolve("token"), content);
	}

}
