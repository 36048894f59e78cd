package io.github.consullock.consul;

/**
 * The contract, in memory.
 */
class InMemoryConsulClientContractTests extends ConsulClientContractTests {

	@Override
	ConsulClient createClient() {
		return new InMemoryConsulClient();
	}

}
