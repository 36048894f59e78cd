package io.github.consullock.annotation;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;

class AttributesInMemoryTests extends AttributesContractTests {

	private final ConsulClient client = new InMemoryConsulClient();

	@Override
	ConsulClient client() {
		return this.client;
	}

	@Override
	String prefix() {
		return "locks/";
	}

}
