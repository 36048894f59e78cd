package io.github.consullock.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Connections of this machine, as Linux lists them.
 */
final class Sockets {

	private static final List<Path> LISTS = List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));

	private static final String ESTABLISHED = "01";

	private Sockets() {
	}

	/** How many lead to a store now, of any process. */
	static int to(Store store) throws IOException {
		String port = String.format(Locale.ROOT, ":%04X", store.address().getPort());
		int count = 0;
		for (Path list : LISTS) {
			for (String line : Files.exists(list) ? Files.readAllLines(list) : List.<String>of()) {
				String[] words = line.strip().split("\\s+");
				if (words[2].endsWith(port) && words[3].equals(ESTABLISHED)) {
					count++;
				}
			}
		}
		return count;
	}

}
