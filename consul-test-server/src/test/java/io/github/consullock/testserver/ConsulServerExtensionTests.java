package io.github.consullock.testserver;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

@ConsulTest
class ConsulServerExtensionTests {

	private static final Set<KeyPrefix> SEEN = ConcurrentHashMap.newKeySet();

	private final Agent agent = new Agent();

	private final ConsulServer constructorServer;

	private final KeyPrefix constructorPrefix;

	private KeyPrefix prefixBefore = new KeyPrefix("");

	ConsulServerExtensionTests(ConsulServer server, KeyPrefix prefix) {
		this.constructorServer = server;
		this.constructorPrefix = prefix;
	}

	@BeforeEach
	void remember(KeyPrefix prefix) {
		this.prefixBefore = prefix;
	}

	@RepeatedTest(3)
	void injectsFreshPrefixPerTest(KeyPrefix prefix) {
		assertThat(SEEN.add(prefix)).isTrue();
		assertThat(prefix.value()).endsWith("/");
		assertThat(prefix.key("a/1")).isEqualTo(prefix + "a/1");
		assertThat(prefix).isNotEqualTo(this.constructorPrefix);
	}

	@Test
	void injectsSamePrefixBeforeAndInTheTest(KeyPrefix prefix) {
		assertThat(prefix).isEqualTo(this.prefixBefore);
	}

	@Test
	void injectsOneRunningServer(ConsulServer server) {
		assertThat(server).isSameAs(this.constructorServer);
		assertThat(this.agent.put(server.httpUri(), "/v1/kv/" + this.prefixBefore + "a", "x", "")).contains("true");
	}

}
