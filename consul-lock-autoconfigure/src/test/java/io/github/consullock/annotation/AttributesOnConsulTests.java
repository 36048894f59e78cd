package io.github.consullock.annotation;

import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.BeforeEach;

@ConsulTest
class AttributesOnConsulTests extends AttributesContractTests {

	private final ConsulClient client;

	private String prefix = "";

	AttributesOnConsulTests(ConsulServer consul) {
		this.client = new PatientClient(consul.httpUri());
	}

	@BeforeEach
	void useKeysOfItsOwn(KeyPrefix keys) {
		this.prefix = keys.key("locks/");
	}

	@Override
	ConsulClient client() {
		return this.client;
	}

	@Override
	String prefix() {
		return this.prefix;
	}

}
