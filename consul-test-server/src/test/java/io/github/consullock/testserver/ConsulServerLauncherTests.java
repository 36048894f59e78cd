package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class ConsulServerLauncherTests {

	@Test
	void triesOtherPortsWhenSomebodyWasFaster() {
		try (ConsulServer first = ConsulServer.start()) {
			PortsTaken source = new PortsTaken(ConsulSources.find(), first.port(), 2);
			try (ConsulServer second = ConsulServer.builder().start(source)) {
				assertThat(second.port()).isNotEqualTo(first.port());
			}
			assertThat(source.directories).hasSize(3).allSatisfy((each) -> assertThat(each).doesNotExist());
		}
	}

	@Test
	void givesUpWhenPortsAreTakenAgainAndAgain() {
		try (ConsulServer first = ConsulServer.start()) {
			PortsTaken source = new PortsTaken(ConsulSources.find(), first.port(), Integer.MAX_VALUE);
			ConsulServerBuilder builder = ConsulServer.builder();
			assertThatExceptionOfType(ConsulServerException.class).isThrownBy(() -> builder.start(source))
				.withMessageContaining("address already in use");
			assertThat(source.directories).hasSizeGreaterThan(1).allSatisfy((each) -> assertThat(each).doesNotExist());
		}
	}

	@Test
	void tellsWhatItWaitedForAndLeavesNothingBehindWhenConsulIsNotReadyInTime() {
		PortsTaken source = new PortsTaken(ConsulSources.find(), 0, 0);
		// One server that waits for two others has no leader.
		ConsulServerBuilder builder = ConsulServer.builder()
			.configuration("{\"bootstrap_expect\": 3}")
			.startTimeout(Duration.ofSeconds(2));
		assertThatExceptionOfType(ConsulServerException.class).isThrownBy(() -> builder.start(source))
			.withMessageContaining("a session to be created")
			.withMessageContaining("log ends with");
		assertThat(source.directories).hasSize(1).allSatisfy((each) -> assertThat(each).doesNotExist());
	}

	/**
	 * Agents whose HTTP port is taken, for a number of times.
	 */
	private static final class PortsTaken implements ConsulSource {

		private final ConsulSource source;

		private final int port;

		private final int times;

		private final List<Path> directories = new ArrayList<>();

		PortsTaken(ConsulSource source, int port, int times) {
			this.source = source;
			this.port = port;
			this.times = times;
		}

		@Override
		public String description() {
			return this.source.description();
		}

		@Override
		public List<ConsulNode> prepare(ConsulServerOptions options, Path directory) throws IOException {
			this.directories.add(directory);
			return this.source.prepare((this.directories.size() > this.times) ? options : withPort(options), directory);
		}

		private ConsulServerOptions withPort(ConsulServerOptions options) {
			return new ConsulServerOptions(options.acl(), options.tls(), options.clusterSize(), options.clientAgent(),
					options.datacenter(), this.port, options.configuration(), options.startTimeout());
		}

	}

}
