package io.github.consullock.test;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.framework.ProxyFactory;

/**
 * A Consul in memory, and two ways to it: that of the application, which can be cut, and
 * that of what happens to the application's locks.
 */
final class InMemoryConsul {

	private final InMemoryConsulClient client = new InMemoryConsulClient();

	private final AtomicInteger outages = new AtomicInteger();

	/**
	 * The way that is always open.
	 */
	ConsulClient client() {
		return this.client;
	}

	/**
	 * A way that is open when there is no outage.
	 */
	ConsulClient newApplicationClient() {
		return severable(this.client.newClient());
	}

	private ConsulClient severable(ConsulClient target) {
		ProxyFactory proxies = new ProxyFactory(target);
		proxies.addAdvice((MethodInterceptor) this::call);
		return (ConsulClient) proxies.getProxy(ConsulClient.class.getClassLoader());
	}

	private @Nullable Object call(MethodInvocation call) throws Throwable {
		switch (call.getMethod().getName()) {
			case "close":
				return call.proceed();
			case "at":
				return severable((ConsulClient) Objects.requireNonNull(call.proceed()));
			default:
				refuseInOutage();
				Object answer = call.proceed();
				// One that is on its way is lost.
				refuseInOutage();
				return answer;
		}
	}

	private void refuseInOutage() {
		if (this.outages.get() > 0) {
			throw new ConsulUnavailableException("Consul does not answer: the test simulates an outage");
		}
	}

	/**
	 * Begins an outage. There may be several at once.
	 */
	void beginOutage() {
		this.outages.incrementAndGet();
	}

	/**
	 * Ends an outage.
	 */
	void endOutage() {
		this.outages.decrementAndGet();
	}

}
