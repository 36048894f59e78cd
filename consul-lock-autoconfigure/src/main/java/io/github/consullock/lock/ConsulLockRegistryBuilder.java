package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.github.consullock.LockListener;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.session.SessionSettings;

/**
 * Builds a {@link ConsulLockRegistry}. For use by one thread.
 *
 * @since 0.1.0
 */
public final class ConsulLockRegistryBuilder {

	final ConsulClient client;

	String keyPrefix = "locks/";

	SessionSettings session = SessionSettings.DEFAULTS;

	Duration waitTime = Duration.ofSeconds(10);

	boolean fair;

	boolean deleteOnRelease = true;

	Duration shutdownTimeout = Duration.ofSeconds(20);

	int maxWatches = 100;

	Duration slowThreshold = Duration.ofSeconds(30);

	String instanceName = "pid " + ProcessHandle.current().pid();

	final List<LockListener> listeners = new ArrayList<>();

	ConsulLockRegistryBuilder(ConsulClient client) {
		this.client = client;
	}

	/**
	 * What stands before each key. Default: {@code locks/}.
	 * @param keyPrefix ends with a slash; see {@link LockOptions#checkKey} for the rest
	 * @return this builder
	 * @throws IllegalArgumentException if it is no prefix
	 */
	public ConsulLockRegistryBuilder keyPrefix(String keyPrefix) {
		if (!keyPrefix.endsWith("/")) {
			throw new IllegalArgumentException("The key prefix must end with '/', but is '" + keyPrefix + "'");
		}
		LockOptions.checkKey(keyPrefix.substring(0, keyPrefix.length() - 1));
		this.keyPrefix = keyPrefix;
		return this;
	}

	/**
	 * How the session is made and kept. Default: {@link SessionSettings#DEFAULTS}.
	 * @param session the settings
	 * @return this builder
	 */
	public ConsulLockRegistryBuilder session(SessionSettings session) {
		this.session = session;
		return this;
	}

	/**
	 * How long {@link ConsulLock#acquire()} waits where its options say nothing. Default:
	 * 10 s.
	 * @param waitTime the time; zero tries once, {@link LockOptions#FOREVER} waits for
	 * ever
	 * @return this builder
	 */
	public ConsulLockRegistryBuilder waitTime(Duration waitTime) {
		this.waitTime = notNegative("wait time", waitTime);
		return this;
	}

	/**
	 * Whether a lock that is free goes to the one that has waited longest, even if
	 * another JVM asks for it first. Default: it does not, which is faster. Threads of
	 * one JVM are served in their order in any case.
	 * @param fair whether it does
	 * @return this builder
	 */
	public ConsulLockRegistryBuilder fair(boolean fair) {
		this.fair = fair;
		return this;
	}

	/**
	 * Whether a release deletes the lock's entry. Default: it does.
	 * @param deleteOnRelease whether to delete it
	 * @return this builder
	 */
	public ConsulLockRegistryBuilder deleteOnRelease(boolean deleteOnRelease) {
		this.deleteOnRelease = deleteOnRelease;
		return this;
	}

	/**
	 * How long {@link ConsulLockRegistry#close()} waits for holds to end before it
	 * cancels them. Default: 20 s.
	 * @param shutdownTimeout the time
	 * @return this builder
	 */
	public ConsulLockRegistryBuilder shutdownTimeout(Duration shutdownTimeout) {
		this.shutdownTimeout = notNegative("shutdown timeout", shutdownTimeout);
		return this;
	}

	/**
	 * How many keys are watched by blocking queries, one connection each; more are polled
	 * in batches. Default: 100, of the 200 connections that Consul allows a client.
	 * @param maxWatches at least 0
	 * @return this builder
	 */
	public ConsulLockRegistryBuilder maxWatches(int maxWatches) {
		if (maxWatches < 0) {
			throw new IllegalArgumentException("The number of watches must not be negative, but is " + maxWatches);
		}
		this.maxWatches = maxWatches;
		return this;
	}

	/**
	 * A wait longer than this is logged as a warning. Default: 30 s.
	 * @param slowThreshold the time
	 * @return this builder
	 */
	public ConsulLockRegistryBuilder slowThreshold(Duration slowThreshold) {
		this.slowThreshold = notNegative("slow threshold", slowThreshold);
		return this;
	}

	/**
	 * By what name a held lock's entry shows its holder. Default: the process id.
	 * @param instanceName the name
	 * @return this builder
	 */
	public ConsulLockRegistryBuilder instanceName(String instanceName) {
		this.instanceName = instanceName;
		return this;
	}

	/**
	 * Adds a listener, told after those added before.
	 * @param listener the listener
	 * @return this builder
	 */
	public ConsulLockRegistryBuilder listener(LockListener listener) {
		this.listeners.add(listener);
		return this;
	}

	/**
	 * Builds the registry. Asks nothing of Consul.
	 * @return the registry
	 */
	public ConsulLockRegistry build() {
		return new DefaultLockRegistry(this);
	}

	private static Duration notNegative(String what, Duration value) {
		if (value.isNegative()) {
			throw new IllegalArgumentException("The " + what + " must not be negative, but is " + value);
		}
		return value;
	}

}
