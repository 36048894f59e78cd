package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

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
	void aFileThatIsGoneForLongIsLoggedOnceWithoutATrace() throws IOException {
		Logger logger = (Logger) LoggerFactory.getLogger(TokenFile.class);
		ListAppender<ILoggingEvent> log = new ListAppender<>();
		log.start();
		logger.addAppender(log);
		try {
			Path file = file("one");
			TokenFile token = new TokenFile(file);
			Files.delete(file);
			Instant end = Instant.now().plusSeconds(3);
			await().until(() -> token.get() != null && Instant.now().isAfter(end));
			assertThat(log.list).singleElement().satisfies((event) -> {
				assertThat(event.getFormattedMessage()).contains("cannot be read");
				assertThat(event.getThrowableProxy()).isNull();
			});
			Files.writeString(file, "two");
			await().until(token::get, "two"::equals);
			assertThat(log.list).hasSize(2)
				.last()
				.extracting(ILoggingEvent::getFormattedMessage)
				.asString()
				.contains("can be read again");
		}
		finally {
			logger.detachAppender(log);
		}
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
