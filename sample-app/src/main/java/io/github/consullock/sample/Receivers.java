package io.github.consullock.sample;

import java.net.URI;
import java.util.Map;

import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/**
 * The receivers that webhooks can be delivered to.
 */
@Component
class Receivers {

	private final Map<String, URI> urls;

	private final Environment environment;

	Receivers(SampleProperties properties, Environment environment) {
		this.urls = Map.copyOf(properties.receivers());
		this.environment = environment;
	}

	/**
	 * The URL of a receiver.
	 * @param name the name of the receiver
	 * @return an absolute URL
	 * @throws UnknownReceiverException if no such receiver is configured
	 */
	URI url(String name) {
		URI url = this.urls.get(name);
		if (url == null) {
			throw new UnknownReceiverException(name, this.urls.keySet());
		}
		return url.isAbsolute() ? url : ownAddress().resolve(url);
	}

	private URI ownAddress() {
		// Known once the web server listens, and before that nobody asks.
		String port = this.environment.getRequiredProperty("local.server.port");
		return URI.create("http://" + this.environment.getProperty("server.address", "localhost") + ":" + port);
	}

}
