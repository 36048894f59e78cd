package io.github.consullock;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.lock.ConsulLockRegistryBuilder;
import io.github.consullock.session.SessionSettings;

/**
 * Registries of one test, below its prefix, and an observer of what they do to Consul;
 * all are closed at its end, the last first.
 */
public abstract class TestRegistries implements AutoCloseable {

	/** Longer than anything takes that is to happen. */
	public static final Duration LONG = Duration.ofMinutes(2);

	/** For tests in which nothing may be read into who comes next after a loss. */
	public static final SessionSettings WITHOUT_LOCK_DELAY = SessionSettings.DEFAULTS.withAllowUnsafe(true)
		.withTimes(Duration.ofSeconds(30), Duration.ZERO);

	private final URI consul;

	private final String prefix;

	private final List<AutoCloseable> open = new ArrayList<>();

	public final ConsulClient observer;

	protected TestRegistries(URI consul, String prefix) {
		this.consul = consul;
		this.prefix = prefix;
		this.observer = new PatientClient(consul);
	}

	public URI consul() {
		return this.consul;
	}

	public String prefix() {
		return this.prefix;
	}

	/** The full key of what a registry calls by this key. */
	public String key(String key) {
		return this.prefix + key;
	}

	/** A registry, and its client, to be closed after it. */
	protected ConsulLockRegistry open(ConsulClient client, UnaryOperator<ConsulLockRegistryBuilder> settings) {
		ConsulLockRegistry registry = settings
			.apply(ConsulLockRegistry.builder(client)
				.keyPrefix(this.prefix)
				.session(WITHOUT_LOCK_DELAY.withName(this.prefix))
				.waitTime(LONG)
				.shutdownTimeout(Duration.ZERO))
			.build();
		closing(client);
		return closing(registry);
	}

	/** Something else to be closed. */
	public <T extends AutoCloseable> T closing(T participant) {
		this.open.add(0, participant);
		return participant;
	}

	/** The entry of a lock as Consul has it, or null. */
	public KvEntry entry(String key) {
		return this.observer.read(key(key), LONG).orElse(null);
	}

	/** Ends the session that holds a lock, as an operator would. */
	public void destroySessionOf(String key) {
		this.observer.destroySession(entry(key).session());
	}

	@Override
	public void close() {
		try {
			for (AutoCloseable closeable : this.open) {
				closeable.close();
			}
			this.observer.close();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

}
