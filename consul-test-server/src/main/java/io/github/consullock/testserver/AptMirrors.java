package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Debian mirrors that this system's apt is set up to use.
 */
final class AptMirrors {

	private static final Logger logger = LoggerFactory.getLogger(AptMirrors.class);

	private static final Duration TIMEOUT = Duration.ofMinutes(1);

	private static final String FORMAT = "$(ORIGIN)|$(SUITE)|$(COMPONENT)|$(REPO_URI)";

	private static final Pattern RELEASE_FILE = Pattern.compile("'([^']+/)dists/([^'/]+)/InRelease'");

	private final Path work;

	private AptMirrors(Path work) {
		this.work = work;
	}

	static AptMirrors of(Path work) {
		return new AptMirrors(work);
	}

	/**
	 * Finds mirrors of Debian's main archive; where apt has never fetched its lists, it
	 * cannot tell whose archives its sources are, and all of them are returned: the
	 * signature tells.
	 * @return the addresses, in the order of apt's sources
	 * @throws IOException if apt cannot be asked
	 */
	List<String> find() throws IOException {
		List<String> known = known(ExternalCommand.of("apt-get", "indextargets", "--format", FORMAT).run(TIMEOUT));
		if (!known.isEmpty()) {
			return known;
		}
		logger.debug("apt has no lists, asking for its sources");
		// An empty folder for lists: the system's own is locked by others, and for root.
		Path lists = Files.createDirectories(this.work.resolve("no-lists"));
		Files.createDirectories(lists.resolve("partial"));
		return possible(ExternalCommand.of("apt-get", "-o", "Dir::State::lists=" + lists, "update", "--print-uris")
			.run(TIMEOUT));
	}

	static List<String> known(String indexTargets) {
		return indexTargets.lines()
			.map((line) -> line.split("\\|", -1))
			.filter((fields) -> fields.length == 4 && fields[0].equals("Debian") && isMain(fields[1])
					&& fields[2].equals("main") && isUsable(fields[3]))
			.map((fields) -> fields[3])
			.distinct()
			.toList();
	}

	static List<String> possible(String uris) {
		List<String> found = new ArrayList<>();
		Matcher matcher = RELEASE_FILE.matcher(uris);
		while (matcher.find()) {
			String uri = matcher.group(1);
			if (isMain(matcher.group(2)) && isUsable(uri) && !found.contains(uri)) {
				found.add(uri);
			}
		}
		return found;
	}

	/** Not updates, security, backports: those have folders of their own. */
	private static boolean isMain(String suite) {
		return !suite.contains("-");
	}

	private static boolean isUsable(String uri) {
		return !uri.startsWith("cdrom:");
	}

}
