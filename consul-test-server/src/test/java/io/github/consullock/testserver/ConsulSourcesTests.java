package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class ConsulSourcesTests {

	@TempDir
	private Path directory = Path.of("set by JUnit");

	@Test
	void takesTheFirstWayThatWorks() throws Exception {
		ConsulSource wanted = new LocalConsul(ConsulBinary.of(executable("Consul v1.21.4")));
		ConsulSource found = ConsulSources.find(List.of(new ConsulSources.Way("a", () -> {
			throw new SourceUnavailableException("not set");
		}), new ConsulSources.Way("b", () -> wanted), new ConsulSources.Way("c", () -> {
			throw new AssertionError("not needed");
		})));
		assertThat(found).isSameAs(wanted);
		assertThat(found.description()).contains("1.21");
	}

	@Test
	void listsEachWayAndWhatToInstallWhenThereIsNone() {
		assertThatExceptionOfType(ConsulServerException.class)
			.isThrownBy(() -> ConsulSources.find(List.of(new ConsulSources.Way("first way", () -> {
				throw new SourceUnavailableException("is closed");
			}), new ConsulSources.Way("second way", () -> {
				throw new SourceUnavailableException("is long");
			}))))
			.withMessageContaining("- first way: is closed\n- second way: is long\n")
			.withMessageContaining("CONSUL_BINARY")
			.withMessageContaining("PATH")
			.withMessageContaining("Docker");
	}

	@Test
	void refusesSettingThatIsWrong() throws IOException {
		assertThatExceptionOfType(SourceUnavailableException.class).isThrownBy(() -> ConsulSources.configured(null));
		assertThatExceptionOfType(ConsulServerException.class)
			.isThrownBy(() -> ConsulSources.configured("/no/such/consul"))
			.withMessageContaining("/no/such/consul")
			.withMessageContaining("CONSUL_BINARY");
		String other = executable("Vault v1.0").toString();
		assertThatExceptionOfType(ConsulServerException.class).isThrownBy(() -> ConsulSources.configured(other))
			.withMessageContaining("no Consul")
			.withMessageContaining("Vault");
	}

	@Test
	void knowsVersions() throws Exception {
		ConsulBinary binary = ConsulBinary.of(executable("Consul v1.14.2"));
		assertThat(binary.isAtLeast(1, 14)).isTrue();
		assertThat(binary.isAtLeast(1, 9)).isTrue();
		assertThat(binary.isAtLeast(1, 15)).isFalse();
		assertThat(binary.isAtLeast(2, 0)).isFalse();
	}

	private Path executable(String output) throws IOException {
		return Files.setPosixFilePermissions(Files.writeString(this.directory.resolve("consul-" + output.hashCode()),
				"#!/bin/sh\necho '" + output + "'\n"), PosixFilePermissions.fromString("rwx------"));
	}

}
