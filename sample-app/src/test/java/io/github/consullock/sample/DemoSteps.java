package io.github.consullock.sample;

import java.util.Locale;

import org.jspecify.annotations.Nullable;

/**
 * Tells the steps of the demo, each with the time since the beginning and since the last.
 */
final class DemoSteps {

	private final long start = System.nanoTime();

	private long last = this.start;

	/**
	 * Tells of a step that is done.
	 * @param format what happened
	 * @param args arguments of the format
	 */
	void done(String format, @Nullable Object... args) {
		long now = System.nanoTime();
		print(String.format(Locale.ROOT, "%6.1f s  (+%4.1f s)  %s", (now - this.start) / 1e9, (now - this.last) / 1e9,
				String.format(Locale.ROOT, format, args)));
		this.last = now;
	}

	// The console is what this is for.
	void print(String line) {
		System.out.println(line);
	}

}
