package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * apt with this system's settings, such as a proxy, but with sources, lists and caches of
 * its own: it needs no rights and changes nothing of the system's.
 */
final class PrivateApt {

	private final Path configuration;

	private final Path directory;

	private PrivateApt(Path configuration, Path directory) {
		this.configuration = configuration;
		this.directory = directory;
	}

	/**
	 * Sets it up.
	 * @param work a folder for all its files
	 * @param source the line that names the only source
	 * @return an apt that knows nothing yet
	 * @throws IOException if its files cannot be written
	 */
	static PrivateApt create(Path work, String source) throws IOException {
		Path sources = Files.writeString(work.resolve("sources.list"), source + "\n");
		Path configuration = work.resolve("apt.conf");
		Path none = Files.createDirectories(work.resolve("none"));
		Files.createDirectories(work.resolve("lists").resolve("partial"));
		Files.createDirectories(work.resolve("cache").resolve("archives").resolve("partial"));
		Files.createFile(work.resolve("status"));
		// The hooks of a system clean up its caches, and are not meant for this one. Root
		// would hand the download over to a user who may not write here.
		Files.writeString(configuration, """
				Dir::Etc::sourcelist "%1$s";
				Dir::Etc::sourceparts "%2$s";
				Dir::Etc::preferences "%2$s/preferences";
				Dir::Etc::preferencesparts "%2$s";
				Dir::State "%3$s";
				Dir::State::lists "%3$s/lists";
				Dir::State::status "%3$s/status";
				Dir::Cache "%3$s/cache";
				Dir::Cache::archives "%3$s/cache/archives";
				#clear APT::Update::Pre-Invoke;
				#clear APT::Update::Post-Invoke;
				#clear APT::Update::Post-Invoke-Success;
				#clear DPkg::Post-Invoke;
				APT::Sandbox::User "root";
				APT::Update::Error-Mode "any";
				APT::Get::AllowUnauthenticated "false";
				Acquire::AllowInsecureRepositories "false";
				Acquire::AllowWeakRepositories "false";
				Acquire::AllowDowngradeToInsecureRepositories "false";
				Acquire::Languages "none";
				Acquire::Retries "2";
				""".formatted(sources, none, work));
		return new PrivateApt(configuration, Files.createDirectories(work.resolve("download")));
	}

	/**
	 * Where {@code apt-get download} puts packages.
	 * @return a folder
	 */
	Path directory() {
		return this.directory;
	}

	String run(Duration timeout, String... arguments) throws IOException {
		List<String> command = new ArrayList<>(List.of("apt-get", "-q", "-c", this.configuration.toString()));
		command.addAll(List.of(arguments));
		return ExternalCommand.of(command).in(this.directory).run(timeout);
	}

}
