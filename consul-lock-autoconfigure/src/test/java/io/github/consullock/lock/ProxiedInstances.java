package io.github.consullock.lock;

import java.io.IOException;

import io.github.consullock.FaultyProxy;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * Instances, and a proxy in front of Consul that some of them may be started with.
 */
@ConsulTest
abstract class ProxiedInstances {

	Instances instances;

	FaultyProxy proxy;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) throws IOException {
		this.instances = new Instances(consul.httpUri(), prefix.value());
		this.proxy = new FaultyProxy(consul.httpUri());
	}

	@AfterEach
	void stop() {
		this.instances.close();
		this.proxy.close();
	}

}
