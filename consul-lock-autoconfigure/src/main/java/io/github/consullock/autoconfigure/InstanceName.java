package io.github.consullock.autoconfigure;

import org.jspecify.annotations.Nullable;

import org.springframework.core.env.Environment;
import org.springframework.util.StringUtils;

/**
 * What this instance of the application is called in Consul: in the name of its session
 * and in the entries of the locks it holds.
 */
final class InstanceName {

	private InstanceName() {
	}

	/**
	 * The instance id of Consul discovery if it is set; else application name, host, and
	 * port or process id. Looks up no name in DNS, which may take long.
	 * @param environment the settings
	 * @param registration what discovery makes of them, if it is there: a random value is
	 * another one each time that it is read
	 * @return the name
	 */
	static String of(Environment environment, @Nullable ServiceRegistration registration) {
		String instanceId = (registration != null) ? registration.instanceId() : null;
		if (!StringUtils.hasText(instanceId)) {
			instanceId = environment.getProperty("spring.cloud.consul.discovery.instance-id");
		}
		if (StringUtils.hasText(instanceId)) {
			return instanceId;
		}
		String application = environment.getProperty("spring.application.name", "application");
		String host = environment.getProperty("spring.cloud.client.hostname",
				environment.getProperty("HOSTNAME", "localhost"));
		String port = environment.getProperty("server.port", "");
		boolean fixed = StringUtils.hasText(port) && !port.equals("0");
		return application + "@" + host + ":" + (fixed ? port : "pid-" + ProcessHandle.current().pid());
	}

}
