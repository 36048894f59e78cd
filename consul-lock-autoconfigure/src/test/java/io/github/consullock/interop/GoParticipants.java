package io.github.consullock.interop;

import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * Participants, some of which are programs in Go; skipped where there is no Go.
 */
@ConsulTest
abstract class GoParticipants {

	Participants participants;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.participants = new Participants(consul.httpUri(), prefix.value());
		GoBuild.executable();
	}

	@AfterEach
	void stop() {
		this.participants.close();
	}

}
