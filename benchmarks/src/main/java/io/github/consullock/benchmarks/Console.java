package io.github.consullock.benchmarks;

import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/**
 * Tells how a run goes on.
 */
final class Console {

	private Console() {
	}

	@SuppressWarnings("SystemOut") // What a console is for.
	static void say(String format, Object... values) {
		System.out.println(
				LocalTime.now().truncatedTo(ChronoUnit.SECONDS) + " " + String.format(Locale.ROOT, format, values));
	}

}
