package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

class DebianPackageTests {

	private static final Duration TIMEOUT = Duration.ofMinutes(1);

	@TempDir
	private Path directory = Path.of("set by JUnit");

	@BeforeEach
	void isDebian() {
		assumeTrue(ConsulBinary.onPath("apt-get") != null && ConsulBinary.onPath("dpkg") != null,
				"apt-get and dpkg are on Debian only");
	}

	@Test
	void fetchesPackageOnceAndThenTakesItFromTheCache() throws Exception {
		assumeTrue(DebianPackage.archiveKeyring() != null, "the keys of Debian's archive are not installed");
		Path executable = fetch(new DebianPackage(this.directory, DebianPackage.archiveKeyring()));
		assertThat(ConsulBinary.of(executable).isAtLeast(1, 8)).isTrue();
		assertThat(this.directory).isDirectoryNotContaining("glob:**/unfinished-*");
		FileTime fetched = Files.getLastModifiedTime(executable);
		Path unreadableKeys = this.directory.resolve("not-needed");
		assertThat(new DebianPackage(this.directory, unreadableKeys).executable()).isEqualTo(executable);
		assertThat(Files.getLastModifiedTime(executable)).isEqualTo(fetched);
	}

	@Test
	void refusesArchiveThatItsKeysDoNotVouchFor() throws IOException {
		Path noKeys = Files.createFile(this.directory.resolve("no-keys.gpg"));
		DebianPackage strict = new DebianPackage(this.directory.resolve("cache"), noKeys);
		assertThatExceptionOfType(SourceUnavailableException.class).isThrownBy(strict::executable)
			.withMessageContaining("Debian 11");
		assertThat(this.directory.resolve("cache")).isDirectoryNotContaining("glob:**/consul_*");
	}

	@Test
	void refusesUnsignedArchive() throws IOException {
		Path archive = unsignedArchive();
		PrivateApt apt = PrivateApt.create(Files.createDirectories(this.directory.resolve("apt")),
				"deb [signed-by=%s] file:%s bullseye main".formatted(this.directory.resolve("keys.gpg"), archive));
		assertThatExceptionOfType(IOException.class).isThrownBy(() -> apt.run(TIMEOUT, "update"))
			.withMessageContaining("not signed");
		assertThatExceptionOfType(IOException.class).isThrownBy(() -> apt.run(TIMEOUT, "download", "consul"));
		assertThat(apt.directory()).isEmptyDirectory();
	}

	@Test
	void leavesTheListsOfTheSystemAlone() throws Exception {
		Path work = Files.createDirectories(this.directory.resolve("apt"));
		PrivateApt apt = PrivateApt.create(work,
				"deb [trusted=yes] file:%s bullseye main".formatted(unsignedArchive()));
		apt.run(TIMEOUT, "-o", "Acquire::AllowInsecureRepositories=true", "update");
		String release = "glob:**" + this.directory.getFileName() + "*bullseye_Release";
		assertThat(work.resolve("lists")).isDirectoryContaining(release);
		assertThat(Path.of("/var/lib/apt/lists")).isDirectoryNotContaining(release);
	}

	@Test
	void removesWhatSomebodyWhoWasKilledLeftBehind() throws IOException {
		Path left = Files.createDirectories(this.directory.resolve("unfinished-123").resolve("deep"));
		Files.setLastModifiedTime(left, FileTime.from(Instant.EPOCH));
		DebianPackage withoutKeys = new DebianPackage(this.directory, null);
		assertThatExceptionOfType(SourceUnavailableException.class).isThrownBy(withoutKeys::executable)
			.withMessageContaining("debian-archive-keyring");
		assertThat(left).doesNotExist();
		assertThat(this.directory).isDirectoryNotContaining("glob:**/unfinished-*");
	}

	private Path unsignedArchive() throws IOException {
		Path archive = this.directory.resolve("archive");
		Path main = Files.createDirectories(archive.resolve("dists/bullseye/main/binary-amd64"));
		Files.createFile(main.resolve("Packages"));
		Files.writeString(archive.resolve("dists/bullseye/Release"), """
				Origin: Debian
				Suite: bullseye
				Codename: bullseye
				Components: main
				Architectures: amd64
				SHA256:
				 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages
				""");
		return archive;
	}

	private static Path fetch(DebianPackage debianPackage) {
		try {
			return debianPackage.executable();
		}
		catch (SourceUnavailableException ex) {
			String message = String.valueOf(ex.getMessage());
			if (List
				.of("Could not resolve", "Could not connect", "Unable to connect", "Connection failed",
						"Network is unreachable", "Temporary failure", "timed out", "did not end within",
						"Connection reset", "Error reading from server", "Service Unavailable", "Bad Gateway",
						"Gateway Time")
				.stream()
				.anyMatch(message::contains)) {
				return abort("no mirror is reachable: " + message);
			}
			throw new AssertionError(message, ex);
		}
	}

}
