package io.github.consullock.lock;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import io.github.consullock.PatientClient;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * Instances, one of which has a client with hooks.
 */
@ConsulTest
abstract class HookedInstances {

	Instances instances;

	HookedClient client;

	/** What the hooked instance's listener was told. */
	final List<String> events = new CopyOnWriteArrayList<>();

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.instances = new Instances(consul.httpUri(), prefix.value());
		this.client = new HookedClient(new PatientClient(consul.httpUri()));
	}

	@AfterEach
	void stop() {
		this.instances.close();
	}

	ConsulLockRegistry hooked() {
		return this.instances.start(this.client, (builder) -> builder.listener(new RecordingListener(this.events)));
	}

}
