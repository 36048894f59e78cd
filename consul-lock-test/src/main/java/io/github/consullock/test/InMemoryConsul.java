package io.github.consullock.test;

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
		ProxyFactory proxies = new ProxyFactory(this.client.newClient());
		proxies.addAdvice((MethodInterceptor) this::call);
		return (ConsulClient) proxies.getProxy(ConsulClient.class.getClassLoader());
	}

	private @Nullable Object call(MethodInvocation call) throws Throwable {
		if (call.getMethod().getName().equals("close")) {
			return call.proceed();
		}
		refuseInOutage();
		Object answer = call.proceed();
		// One that is on its way is lost.
		refuseInOutage();
		return answer;
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
