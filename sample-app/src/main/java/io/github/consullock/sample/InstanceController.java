package io.github.consullock.sample;

import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Lists the instances of this application that Consul knows, this one included.
 */
@RestController
class InstanceController {

	private final DiscoveryClient discovery;

	private final String application;

	InstanceController(DiscoveryClient discovery, @Value("${spring.application.name}") String application) {
		this.discovery = discovery;
		this.application = application;
	}

	@GetMapping("/instances")
	List<Instance> instances() {
		return this.discovery.getInstances(this.application)
			.stream()
			.map((instance) -> new Instance(instance.getInstanceId(), instance.getUri().toString()))
			.toList();
	}

	/**
	 * An instance.
	 *
	 * @param id its id in Consul
	 * @param url where it listens
	 */
	record Instance(@Nullable String id, String url) {

	}

}
