package io.github.consullock.autoconfigure;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.cloud.consul.discovery.ConsulDiscoveryProperties;
import org.springframework.cloud.consul.serviceregistry.ConsulRegistration;

/**
 * The application's own entry in Consul's catalog. Loaded only where Consul discovery is
 * on the classpath.
 */
final class ServiceRegistration {

	private final ListableBeanFactory beanFactory;

	private final ObjectProvider<ConsulRegistration> registration;

	private final ObjectProvider<ConsulDiscoveryProperties> properties;

	ServiceRegistration(ListableBeanFactory beanFactory) {
		this.beanFactory = beanFactory;
		this.registration = beanFactory.getBeanProvider(ConsulRegistration.class);
		this.properties = beanFactory.getBeanProvider(ConsulDiscoveryProperties.class);
	}

	/**
	 * Whether the application is set up to register. Creates no bean that takes part in
	 * that.
	 */
	boolean isEnabled() {
		ConsulDiscoveryProperties discovery = this.properties.getIfAvailable();
		return this.beanFactory.getBeanNamesForType(ConsulRegistration.class, true, false).length > 0
				&& (discovery == null || (discovery.isRegister() && discovery.getLifecycle().isEnabled()));
	}

	/**
	 * The instance id that is set, or {@code null}.
	 */
	@Nullable String instanceId() {
		ConsulDiscoveryProperties discovery = this.properties.getIfAvailable();
		return (discovery != null) ? discovery.getInstanceId() : null;
	}

	/**
	 * The id that Consul gives the health check of the registration.
	 * @throws InvalidLockPropertyException if there is none
	 */
	String checkId() {
		ConsulDiscoveryProperties discovery = this.properties.getIfAvailable();
		if (!isEnabled() || (discovery != null && !discovery.isRegisterHealthCheck())) {
			throw PropertyChecks.invalid("session.bind-to-service",
					"is true, but the application does not register a health check in Consul; it needs"
							+ " spring.cloud.consul.discovery.register and register-health-check");
		}
		return "service:" + this.registration.getObject().getInstanceId();
	}

}
