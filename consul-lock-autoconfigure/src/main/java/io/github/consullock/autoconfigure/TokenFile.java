package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An ACL token in a file, which somebody else rotates. Read at most once a second,
 * whatever the file's time says: two tokens have the same length, and may be written
 * within one tick of it. While the file cannot be read, as in the middle of its
 * replacement, the last token serves; that is logged once.
 */
final class TokenFile implements Supplier<String> {

	private static final Logger logger = LoggerFactory.getLogger(TokenFile.class);

	private static final long MAX_AGE_NANOS = Duration.ofSeconds(1).toNanos();

	private final Path path;

	private final AtomicBoolean readable = new AtomicBoolean(true);

	private volatile Reading last;

	/**
	 * Reads the file.
	 * @param path the file
	 * @throws IOException if it cannot be read, or holds no token
	 */
	TokenFile(Path path) throws IOException {
		this.path = path;
		this.last = new Reading(read(path), System.nanoTime());
	}

	@Override
	public String get() {
		Reading reading = this.last;
		long now = System.nanoTime();
		if (now - reading.at() < MAX_AGE_NANOS) {
			return reading.token();
		}
		Reading next = new Reading(readOr(reading.token()), now);
		this.last = next;
		return next.token();
	}

	private String readOr(String lastToken) {
		try {
			String token = read(this.path);
			if (this.readable.compareAndSet(false, true)) {
				logger.info("The token file '{}' can be read again", this.path);
			}
			return token;
		}
		catch (IOException ex) {
			if (this.readable.compareAndSet(true, false)) {
				logger.warn("The token file '{}' cannot be read; going on with the token it held before: {}", this.path,
						ex.toString());
			}
			return lastToken;
		}
	}

	private static String read(Path path) throws IOException {
		String token = Files.readString(path).strip();
		if (token.isEmpty()) {
			throw new IOException("The file '" + path + "' is empty");
		}
		return token;
	}

	/**
	 * What the file held at a time.
	 */
	private record Reading(String token, long at) {

		@Override
		public String toString() {
			return "Reading[at=" + this.at + "]";
		}

	}

}
